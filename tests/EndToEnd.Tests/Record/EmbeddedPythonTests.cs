using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace ActorProfiler.Tests.Record;

/// <summary>Python in hosts that are no Python programs: its functions stand between those of the host.</summary>
public sealed class EmbeddedPythonTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("embedded-");
    private readonly Recorder _recorder = new();

    /// <summary>The first application runs in the main interpreter, the second in one of its own, whose states all have the id of the loading thread.</summary>
    [Fact]
    public async Task Shows_the_functions_of_an_application_in_the_threads_of_a_servers_worker()
    {
        const int Threads = 2;
        Requirements.Bpf();
        Requirements.Tool("uwsgi", "uwsgi-core uwsgi-plugin-python3");
        var socket = Path.Combine(_folder.FullName, "http");
        var application = TestPrograms.Source("wsgi.py");
        using var server = TestPrograms.Start(
            Requirements.FindOnPath("uwsgi")!,
            ["--plugin", "python3", "--master", "--die-on-term", "--disable-logging", "--logto", Path.Combine(_folder.FullName, "log"), "--http-socket", socket,
                "--chmod-socket=600", "--pythonpath", Path.GetDirectoryName(application)!, "--threads", $"{Threads}", "--mount", $"/first={application}", "--mount", $"/second={application}"]);
        try
        {
            using var client = Client(socket);
            await Answered(client, "/second?0");
            for (var i = 0; i < Threads; i++)
            {
                _ = client.GetAsync("/second?120", TestContext.Current.CancellationToken); // ends with the server
            }

            var profile = _recorder.RecordBusy(Worker(server.Pid));

            AssertSplit(profile, "application", "uwsgi_request_wsgi");
            Assert.DoesNotContain("_PyEval_EvalFrameDefault", profile.Profile.StringTable);
        }
        finally
        {
            await End(server.Process);
        }
    }

    [Fact]
    public void Shows_the_functions_of_an_interpreter_in_a_thread_of_a_c_program()
    {
        Requirements.Bpf();
        Requirements.Tool("python3-config", "python3-dev");
        using var config = Process.Start(new ProcessStartInfo("/usr/bin/python3-config", ["--embed", "--includes", "--ldflags"]) { RedirectStandardOutput = true })!;
        var flags = config.StandardOutput.ReadToEnd().Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        using var busy = TestPrograms.Start(TestPrograms.CompileC("embed", ["-O2", "-pthread", "-Wl,--no-as-needed", .. flags]), TestPrograms.Source("split.py"), "120");

        var profile = _recorder.RecordBusy(busy.Pid);

        AssertSplit(profile, "main", "run_script");
    }

    public void Dispose()
    {
        _recorder.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>60 : 30 : 10, below a Python function, below a function of the host.</summary>
    private static void AssertSplit(Recorded profile, string outermost, string host)
    {
        profile.AssertShare("sort_rows", 60, host);
        profile.AssertShare("hash_rows", 30, host);
        profile.AssertShare("write_rows", 10, host);
        var whole = profile.ShareOf(stack => Recorded.Follows(stack, "run_query", outermost) && stack.ToList().IndexOf(host) > stack.ToList().IndexOf("run_query"));
        Assert.True(whole > 94, $"{whole:F1} % hold run_query below {outermost} below {host}");
    }

    private static HttpClient Client(string socket) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, token) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), token);
            return new NetworkStream(connection, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://server") };

    /// <summary>Waits until the server answers.</summary>
    private static async Task Answered(HttpClient client, string path)
    {
        var started = Stopwatch.GetTimestamp();
        for (; ; )
        {
            try
            {
                using var answer = await client.GetAsync(path, TestContext.Current.CancellationToken);
                Assert.True(answer.IsSuccessStatusCode, $"{path}: {answer.StatusCode}");
                return;
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60))
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>The server's only child.</summary>
    private static int Worker(int server) =>
        int.Parse(File.ReadAllText($"/proc/{server}/task/{server}/children").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>Ends the server with its workers, whatever they do.</summary>
    private static async Task End(Process server)
    {
        using var kill = Process.Start("kill", ["-INT", $"{server.Id}"]);
        await server.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
