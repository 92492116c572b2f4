using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Elf.Native;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.Jit;

/// <summary>HotSpot 17 and later: has it write its perf map with <c>Compiler.perfmap</c> through the attach mechanism.</summary>
/// <remarks>
/// The map is a snapshot. A JVM opens its attach socket when it finds <c>.attach_pidN</c> and gets SIGQUIT.
/// Source: src/jdk.attach/linux/classes/sun/tools/attach/VirtualMachineImpl.java and src/hotspot/os/posix/attachListener_posix.cpp of OpenJDK.
/// </remarks>
internal sealed class JvmRuntime : IJitRuntime
{
    private const int Quit = 3;
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(20);
    private const int Polls = 150;

    /// <summary>Protocol version, command, and its three arguments, each ended by a zero byte.</summary>
    private static readonly byte[] _request = Encoding.UTF8.GetBytes("1\0jcmd\0Compiler.perfmap\0\0\0");

    public string Name => "jvm";

    public bool IsSnapshot => true;

    public bool IsIn(ProcessImage image) => JvmLibrary.In(image) is not null;

    public bool IsOn(ProcessImage image)
    {
        using var folder = ForeignFolder.Open(image.Identity.Pid, ProcessSocket.Folder);
        return folder?.Contains(image.PerfMapName) == true;
    }

    public async Task<string> EnableAsync(ProcessImage image, CancellationToken cancellation)
    {
        if (image.Status is not { } status)
        {
            return "gone";
        }

        var name = string.Create(CultureInfo.InvariantCulture, $".java_pid{status.NamespacePid}");
        using var socket = await ProcessSocket.ConnectAsync(image, name, cancellation)
            ?? await OpenAttachSocketAsync(image, status.NamespacePid, name, cancellation);
        if (socket is null)
        {
            return "no_attach_socket";
        }

        await socket.SendAsync(_request, SocketFlags.None, cancellation);
        var answer = new byte[1];
        return await ProcessSocket.ReceiveAsync(socket, answer, cancellation) == 1 && answer[0] == (byte)'0' ? "" : "refused";
    }

    public Task DisableAsync(ProcessImage image, CancellationToken cancellation) => Task.CompletedTask;

    public IReadOnlyList<string> FilesOf(ProcessImage image) => [image.PerfMapName];

    private static async Task<Socket?> OpenAttachSocketAsync(ProcessImage image, int namespacePid, string socketName, CancellationToken cancellation)
    {
        using var folder = ForeignFolder.Open(image.Identity.Pid, ProcessSocket.Folder);
        var wish = string.Create(CultureInfo.InvariantCulture, $".attach_pid{namespacePid}");

        // A JVM that is still starting has no handler yet: the signal would end it.
        if (folder is null || !ProcFiles.Catches(image.Identity.Pid, Quit) || !folder.Create(wish))
        {
            return null;
        }

        try
        {
            if (!ProcFiles.IsStill(image.Identity) || LibC.kill(image.Identity.Pid, Quit) != 0)
            {
                return null;
            }

            for (var i = 0; i < Polls; i++)
            {
                if (await ProcessSocket.ConnectAsync(image, socketName, cancellation) is { } socket)
                {
                    return socket;
                }

                await Task.Delay(_poll, TimeProvider.System, cancellation);
            }

            return null;
        }
        finally
        {
            folder.Remove(wish);
        }
    }
}
