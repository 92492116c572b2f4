using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace ActorProfiler.Tests.Run;

/// <summary>The built program as a child process, in a network namespace when one is given. Disposing kills it.</summary>
internal sealed partial class ServiceProcess : IDisposable
{
    private const int Sigterm = 15;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    private ServiceProcess(Process process) => _process = process;

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "actorprofiler");

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it has written to standard error and standard output.</summary>
    public IReadOnlyList<string> Lines => [.. _lines];

    public static ServiceProcess Start(Network.Node? node, params string[] arguments) => StartUnder(
        node is null ? [] : [Requirements.FindOnPath("ip")!, "netns", "exec", node.Namespace], arguments);

    /// <summary>With variables of its environment.</summary>
    public static ServiceProcess StartWith(IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        StartUnder([Requirements.FindOnPath("env")!, .. environment.Select(pair => $"{pair.Key}={pair.Value}")], arguments);

    /// <summary>SIGHUP.</summary>
    public void HangUp() => Assert.Equal(0, Kill(Pid, 1));

    /// <param name="launcher">A program that replaces itself by the rest of its command line, so that its process is the service's.</param>
    public static ServiceProcess StartUnder(string[] launcher, params string[] arguments)
    {
        string[] words = [.. launcher, Program, .. arguments];
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardError = true, RedirectStandardOutput = true };
        var service = new ServiceProcess(new Process { StartInfo = start });
        service._process.OutputDataReceived += service.Keep;
        service._process.ErrorDataReceived += service.Keep;
        service._process.Start();
        service._process.BeginErrorReadLine();
        service._process.BeginOutputReadLine();
        return service;
    }

    public async Task WaitForLineAsync(string part) => await Poll.UntilAsync(
        () => Lines.Any(line => line.Contains(part, StringComparison.Ordinal)) || HasExited, _patience, () => $"a line with '{part}' in: {Text}");

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM. Returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        Assert.Equal(0, Kill(Pid, Sigterm));
        return await ExitAsync();
    }

    public async Task<int> ExitAsync()
    {
        using var late = new CancellationTokenSource(_patience);
        try
        {
            await _process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"still running after {_patience.TotalSeconds} s: {Text}");
        }

        return _process.ExitCode;
    }

    /// <summary>The last balance logged for <paramref name="what"/>.</summary>
    public (long Ticks, long Settled, long Dropped, long Waiting) Balance(string what)
    {
        var match = Lines.Reverse().Where(line => line.Contains($"{what}: ", StringComparison.Ordinal)).Select(line => BalanceLine().Match(line))
            .FirstOrDefault(match => match.Success);
        Assert.True(match is not null, $"no balance of '{what}' in: {Text}");
        return (Number("ticks"), Number("settled"), Number("dropped"), Number("waiting"));

        long Number(string group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
    }

    /// <summary>The last of its lines, for a failed test.</summary>
    public string Text => string.Join('\n', Lines.TakeLast(30).Select(line => line.Length > 400 ? line[..400] : line));

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (!string.IsNullOrEmpty(line.Data))
        {
            _lines.Enqueue(line.Data);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    [GeneratedRegex(@": (?<ticks>\d+) ticks = (?<settled>\d+) \w+ \+ (?<dropped>\d+) dropped \+ (?<waiting>-?\d+) waiting", RegexOptions.CultureInvariant)]
    private static partial Regex BalanceLine();
}
