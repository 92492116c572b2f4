using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>The few functions of libc that .NET has no form of.</summary>
internal static unsafe partial class LibC
{
    private const string Library = "libc";

    /// <summary>PROT_READ | PROT_WRITE</summary>
    internal const int ReadWrite = 3;

    internal const int MapShared = 1;

    /// <summary>PRIO_PROCESS, which on Linux means a thread.</summary>
    internal const int OfProcess = 0;

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint syscall(nint number, void* a, nint b, nint c, nint d, nint e);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint mmap(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int munmap(nint address, nuint length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int close(int file);

    [LibraryImport(Library)]
    internal static partial int getpriority(int which, int who);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setpriority(int which, int who, int priority);

    [LibraryImport(Library)]
    internal static partial int vsnprintf(byte* buffer, nuint size, byte* format, nint arguments);
}
