using System.Text.RegularExpressions;
using Akka.Event;

namespace ActorProfiler.Commands.Run;

/// <summary>
/// Makes one line of what Akka.Remote logs of a lost or refused connection: several records, with stack traces, for each try.
/// Not thread-safe.
/// </summary>
internal sealed partial class RemotingLines(TimeProvider clock)
{
    /// <summary>The same trouble with the same node is said again after this long.</summary>
    public static readonly TimeSpan SayAgainAfter = TimeSpan.FromMinutes(5);

    private const int NodeLimit = 1000;

    private const string NoSeed = "Couldn't join seed nodes";

    private readonly Dictionary<string, DateTimeOffset> _said = new(StringComparer.Ordinal);

    /// <summary>Whether a record is to be shown by <see cref="Line"/>.</summary>
    public static bool IsOf(LogEvent logged) =>
        logged.LogLevel() >= Akka.Event.LogLevel.WarningLevel && Sources().IsMatch(logged.LogSource);

    /// <summary>What to write of a record; null: it repeats what was said.</summary>
    public string? Line(LogEvent logged)
    {
        var text = $"{logged.Message}";
        if (text.StartsWith(NoSeed, StringComparison.Ordinal))
        {
            return Once($"no aggregator of the list lets this one join the cluster: {text[(text.IndexOf('[', NoSeed.Length) is > 0 and var hosts ? hosts : NoSeed.Length)..]}");
        }

        if (Node().Match(text) is not { Success: true } node)
        {
            return Once(FirstLine(text));
        }

        var why = Reason().Match(text) is { Success: true } reason ? reason.Groups["why"].Value.Trim() : FirstLine(text);
        return IsDetail(text) ? null : Once($"no connection to aggregator {node.Groups["node"].Value}: {(why == "Disassociated" ? "it was lost" : why)}; it is tried again every 5 s");
    }

    // The writer's own records of the same event, which the gate's record follows.
    private static bool IsDetail(string text) =>
        text.StartsWith("AssociationError", StringComparison.Ordinal) || text.StartsWith("Disassociated", StringComparison.Ordinal);

    private static string FirstLine(string text)
    {
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        return (end < 0 ? text : text[..end]).TrimEnd();
    }

    private string? Once(string line)
    {
        var now = clock.GetUtcNow();
        if (_said.TryGetValue(line, out var last) && now - last < SayAgainAfter)
        {
            return null;
        }

        if (_said.Count >= NodeLimit)
        {
            _said.Clear();
        }

        _said[line] = now;
        return line;
    }

    [GeneratedRegex(@"^(remoting |PeerTransport )|/system/(endpointManager|transports)|/joinSeedNodeProcess", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Sources();

    [GeneratedRegex(@"akka\.tcp://[^@\s]+@(?<node>[^\s\]/]+:\d+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Node();

    [GeneratedRegex(@"(?:Reason: \[(?!Association failed)|(?:InvalidAssociationException|EndpointDisassociatedException|EndpointException): )(?<why>[^\r\n\]]+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Reason();
}
