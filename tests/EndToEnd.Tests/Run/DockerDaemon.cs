using System.Diagnostics;
using System.Formats.Tar;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace ActorProfiler.Tests.Run;

/// <summary>A Docker daemon with its own data, socket and network namespace. Tests share it; <see cref="Need"/> skips where none can run.</summary>
public sealed class DockerDaemon : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly string _namespace = $"ap-docker-{Environment.ProcessId}";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ap-docker-");
    private Process? _process;
    private string _reason = "";

    public string Host => $"unix://{Socket}";

    private string Socket => Path.Combine(_folder.FullName, "docker.sock");

    private HttpClient Http { get; set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var dockerd = Requirements.FindOnPath("dockerd");
        _reason = !Environment.IsPrivilegedProcess ? "needs root to run a Docker daemon (run as root)"
            : dockerd is null ? "needs the tool dockerd (apt-get install docker.io)"
            : Requirements.FindOnPath("ip") is null ? "needs the tool ip (apt-get install iproute2)"
            : await TryStartAsync(dockerd);
    }

    /// <summary>Skips the test with the reason why there is no daemon.</summary>
    public void Need() => Assert.SkipUnless(_reason.Length == 0, _reason);

    /// <summary>Makes an image of programs, which stand in its root.</summary>
    public async Task ImportAsync(string name, params string[] programs)
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            foreach (var program in programs)
            {
                await writer.WriteEntryAsync(program, Path.GetFileName(program));
            }
        }

        tar.Position = 0;
        using var answer = await Http.PostAsync(new Uri($"images/create?fromSrc=-&repo={name}&tag=1", UriKind.Relative), new StreamContent(tar));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <returns>The answer; an empty object when it has no body.</returns>
    public async Task<JsonNode> PostAsync(string path, JsonNode? body = null)
    {
        using var content = body is null ? null : JsonContent.Create(body);
        using var answer = await Http.PostAsync(new Uri(path, UriKind.Relative), content);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {text}");
        return text.StartsWith('{') ? JsonNode.Parse(text)! : new JsonObject();
    }

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await Http.GetStringAsync(new Uri(path, UriKind.Relative)))!;

    /// <summary>Creates and starts a container of the image <c>busy:1</c>. Returns its id.</summary>
    public async Task<string> RunAsync(string name, string command, string network = "default", JsonObject? more = null, JsonObject? ports = null)
    {
        var body = more ?? [];
        body["Image"] = "busy:1";
        body["Cmd"] = new JsonArray([.. command.Split(' ').Select(word => (JsonNode)word)]);
        body["StopSignal"] = "SIGKILL";
        body["HostConfig"] = new JsonObject { ["NetworkMode"] = network, ["PortBindings"] = ports };
        var id = (string)(await PostAsync($"containers/create?name={name}", body))["Id"]!;
        await PostAsync($"containers/{id}/start");
        return id;
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (_process is { HasExited: false })
        {
            using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            await kill.WaitForExitAsync();
            using var late = new CancellationTokenSource(_patience);
            await _process.WaitForExitAsync(late.Token);
        }

        _process?.Dispose();
        await CommandAsync("umount", Path.Combine(_folder.FullName, "exec/netns/default")); // the daemon leaves it
        await IpAsync("netns", "delete", _namespace);
        _folder.Delete(recursive: true);
    }

    /// <returns>"" or why it does not run.</returns>
    private async Task<string> TryStartAsync(string dockerd)
    {
        if (await IpAsync("netns", "add", _namespace) != 0 || await IpAsync("-n", _namespace, "link", "set", "lo", "up") != 0)
        {
            return "needs a network namespace for a Docker daemon (ip netns add failed)";
        }

        var log = Path.Combine(_folder.FullName, "log");
        string[] options =
        [
            "--data-root", Path.Combine(_folder.FullName, "data"), "--exec-root", Path.Combine(_folder.FullName, "exec"), "--pidfile", Path.Combine(_folder.FullName, "pid"),
            "--host", Host, "--exec-opt", "native.cgroupdriver=cgroupfs", "--storage-driver", "vfs",
        ];

        // Not `ip netns exec`, which hides the cgroups.
        _process = Process.Start(new ProcessStartInfo(
            "nsenter", [$"--net=/run/netns/{_namespace}", "sh", "-c", $"exec \"$0\" \"$@\" > {log} 2>&1", dockerd, .. options]));
        Http = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, cancellation) => ConnectAsync(cancellation) }) { BaseAddress = new Uri("http://docker/") };
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        using var late = new CancellationTokenSource(_patience);
        while (!_process!.HasExited && !late.IsCancellationRequested)
        {
            if (await IsUpAsync(late.Token))
            {
                return "";
            }

            await timer.WaitForNextTickAsync();
        }

        return $"needs a host on which a Docker daemon starts: {string.Join(" | ", (await File.ReadAllLinesAsync(log)).TakeLast(2))}";
    }

    private async Task<bool> IsUpAsync(CancellationToken cancellation)
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri("_ping", UriKind.Relative), cancellation);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception early) when (early is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private async ValueTask<Stream> ConnectAsync(CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<int> IpAsync(params string[] arguments) => await CommandAsync(Requirements.FindOnPath("ip") ?? "ip", arguments);

    private static async Task<int> CommandAsync(string command, params string[] arguments)
    {
        using var running = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        await running.WaitForExitAsync();
        return running.ExitCode;
    }
}
