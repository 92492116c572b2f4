using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.Jit;

/// <summary>.NET 8 and later: switches its perf map on and off through the diagnostics port that every process offers.</summary>
/// <remarks>
/// Microsoft's client library speaks the same protocol but reaches only processes of its own mount namespace, and by a path that could be
/// a link. Source: https://github.com/dotnet/diagnostics/blob/main/documentation/design-docs/ipc-protocol.md.
/// </remarks>
internal sealed class DotNetRuntime : IJitRuntime
{
    private const byte ProcessCommands = 0x04;
    private const byte EnablePerfMap = 0x05;
    private const byte DisablePerfMap = 0x06;
    private const byte ServerCommands = 0xff;
    private const byte Agreed = 0x00;
    private const uint PerfMapOnly = 3;
    private const int HeaderSize = 20;

    /// <summary>Open files of a process that are looked at.</summary>
    private const int MostFiles = 65536;

    private static ReadOnlySpan<byte> Magic => "DOTNET_IPC_V1\0"u8;

    public string Name => "dotnet";

    public bool IsSnapshot => false;

    public bool IsIn(ProcessImage image) => image.Mappings.Any(mapped => mapped.Mapping.Path.EndsWith("/libcoreclr.so", StringComparison.Ordinal));

    /// <summary>The process holds its map open. A file that is merely there can be of an earlier process.</summary>
    public bool IsOn(ProcessImage image)
    {
        var map = "/" + image.PerfMapName;
        return Directory.EnumerateFileSystemEntries($"/proc/{image.Identity.Pid}/fd").Take(MostFiles)
            .Any(file => new FileInfo(file).LinkTarget?.EndsWith(map, StringComparison.Ordinal) == true);
    }

    public Task<string> EnableAsync(ProcessImage image, CancellationToken cancellation)
    {
        var payload = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, PerfMapOnly);
        return CommandAsync(image, EnablePerfMap, payload, cancellation);
    }

    public Task DisableAsync(ProcessImage image, CancellationToken cancellation) => CommandAsync(image, DisablePerfMap, [], cancellation);

    public IReadOnlyList<string> FilesOf(ProcessImage image) => [image.PerfMapName, $"perfinfo-{image.NamespacePid}.map"];

    private static async Task<string> CommandAsync(ProcessImage image, byte command, byte[] payload, CancellationToken cancellation)
    {
        if (ProcFiles.Stat(image.Identity.Pid) is not { } stat || image.Status is not { } status)
        {
            return "gone";
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"dotnet-diagnostic-{status.NamespacePid}-{stat.StartTicks}-socket");
        using var socket = await ProcessSocket.ConnectAsync(image, name, cancellation);
        if (socket is null)
        {
            return "no_diagnostics_port";
        }

        await socket.SendAsync(Message(command, payload), SocketFlags.None, cancellation);
        var answer = new byte[HeaderSize];
        var received = await ProcessSocket.ReceiveAsync(socket, answer, cancellation);
        return received == HeaderSize && answer.AsSpan().StartsWith(Magic) && answer[16] == ServerCommands && answer[17] == Agreed ? "" : "refused";
    }

    private static byte[] Message(byte command, byte[] payload)
    {
        var message = new byte[HeaderSize + payload.Length];
        Magic.CopyTo(message);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(14), (ushort)message.Length);
        (message[16], message[17]) = (ProcessCommands, command);
        payload.CopyTo(message, HeaderSize);
        return message;
    }
}
