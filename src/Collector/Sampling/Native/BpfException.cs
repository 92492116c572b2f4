using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>The kernel or libbpf refused something. The message says what, and the errno.</summary>
public sealed class BpfException(string action, int errno, string? detail = null)
    : Exception($"{action}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}){(detail is null ? "" : $": {detail}")}")
{
    public const int OperationNotPermitted = 1;
    public const int PermissionDenied = 13;

    public int Errno => errno;

    /// <summary>The rights to load BPF programs or to open perf events are missing.</summary>
    public bool IsMissingRight => errno is OperationNotPermitted or PermissionDenied;
}
