using System.Globalization;
using ActorProfiler.Aggregator.LocalStore;
using Microsoft.AspNetCore.Http;

namespace ActorProfiler.Aggregator.Page;

/// <summary>What a request asks for.</summary>
internal sealed record PageQuery(ProfileSelector Selector, TimeRange Range, string Subject)
{
    private static readonly TimeSpan _defaultLength = TimeSpan.FromMinutes(15);

    /// <summary>Reads <c>service=</c> or <c>query={…}</c>, <c>from=</c> and <c>until=</c>.</summary>
    /// <remarks>
    /// A time is <c>now</c>, <c>now-15m</c> (s, m or h), Unix milliseconds or RFC 3339. Without them: the last 15 minutes.
    /// Without a service or query: all series.
    /// </remarks>
    /// <exception cref="FormatException">A value has another form; the message is fit for the user.</exception>
    public static PageQuery Of(IQueryCollection query, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        var until = Time(query["until"].ToString(), now) ?? now;
        var from = Time(query["from"].ToString(), now) ?? until - _defaultLength;
        if (from >= until)
        {
            throw new FormatException("from must be before until");
        }

        var range = TimeRange.Of(from, until);
        if (query.TryGetValue("query", out var selector))
        {
            return new PageQuery(ProfileSelector.Parse(selector.ToString()), range, "query");
        }

        return query.TryGetValue("service", out var service)
            ? new PageQuery(ProfileSelector.Service(service.ToString()), range, service.ToString())
            : new PageQuery(ProfileSelector.All, range, "all");
    }

    /// <summary>A name for a download: what was asked for and when, in letters that every file system takes.</summary>
    public string FileName()
    {
        var subject = new string([.. Subject.Take(80).Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' ? letter : '-')]).Trim('-', '.');
        var start = DateTimeOffset.UnixEpoch.AddTicks(Range.FromNanos / TimeSpan.NanosecondsPerTick);
        var seconds = (Range.UntilNanos - Range.FromNanos) / 1_000_000_000;
        return string.Create(CultureInfo.InvariantCulture, $"{(subject.Length > 0 ? subject : "profile")}-{start:yyyyMMdd'T'HHmmss'Z'}-{seconds}s.pb.gz");
    }

    private static DateTimeOffset? Time(string text, DateTimeOffset now)
    {
        if (text.Length == 0)
        {
            return null;
        }

        try
        {
            return text.StartsWith("now", StringComparison.Ordinal) ? now - Before(text.AsSpan(3))
                : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
                : DateTimeOffset.ParseExact(text, ["yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        }
        catch (Exception cause) when (cause is FormatException or ArgumentOutOfRangeException or OverflowException)
        {
            throw new FormatException($"\"{text}\" is no time; use now, now-15m, Unix milliseconds or 2006-01-02T15:04:05Z", cause);
        }
    }

    private static TimeSpan Before(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return TimeSpan.Zero;
        }

        var count = text.Length > 2 && text[0] == '-' ? int.Parse(text[1..^1], NumberStyles.None, CultureInfo.InvariantCulture) : throw new FormatException();
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(count),
            'm' => TimeSpan.FromMinutes(count),
            'h' => TimeSpan.FromHours(count),
            _ => throw new FormatException(),
        };
    }
}
