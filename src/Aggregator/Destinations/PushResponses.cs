using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ActorProfiler.Aggregator.Destinations.Wire;
using Google.Protobuf;

namespace ActorProfiler.Aggregator.Destinations;

/// <param name="ContentType">Without parameters; "" when there is none.</param>
/// <param name="Body">At most its first 64 KiB.</param>
/// <param name="RetryAfter">As the header asks, positive.</param>
internal sealed record PushAnswer(int Status, string ContentType, byte[] Body, TimeSpan? RetryAfter);

/// <summary>What the answers to a push mean.</summary>
/// <remarks>
/// Error bodies are Connect's, <c>{"code": "…", "message": "…"}</c>: https://connectrpc.com/docs/protocol/#error-end-stream. A proxy's are anything.
/// </remarks>
internal static partial class PushResponses
{
    private const int MessageLimit = 1024;

    public static WriteOutcome Classify(PushAnswer answer)
    {
        var (code, message) = ReadError(answer);
        return answer.Status switch
        {
            200 => IsPushResponse(answer)
                ? WriteOutcome.Delivered
                : new(WriteOutcome.Verdict.Misconfigured, "not_a_push_response", $"200 with content type '{answer.ContentType}': not a Pyroscope server"),
            // A proxy's 400 is not about the profile.
            400 when code.Length == 0 => new(WriteOutcome.Verdict.ServerFault, "http_400", message),
            400 when code == "resource_exhausted" => RateLimit(message, answer.RetryAfter),
            400 => new(WriteOutcome.Verdict.Rejected, Rejection(message), message),
            401 or 403 or 407 => new(WriteOutcome.Verdict.Misconfigured, "unauthorized", message),
            413 or 431 => new(WriteOutcome.Verdict.TooLarge, "too_large", message),
            422 when code == "resource_exhausted" => RateLimit(message, answer.RetryAfter),
            422 => new(WriteOutcome.Verdict.Rejected, "rejected", message),
            429 => RateLimit(message, answer.RetryAfter),
            408 or 499 or 502 or 503 or 504 => new(WriteOutcome.Verdict.Transient, $"http_{answer.Status}", message, answer.RetryAfter),
            >= 500 and not 501 => new(WriteOutcome.Verdict.ServerFault, "http_500", message, answer.RetryAfter),
            _ => new(WriteOutcome.Verdict.Misconfigured, "wrong_url", message),
        };
    }

    private static bool IsPushResponse(PushAnswer answer)
    {
        if (answer.ContentType != "application/proto")
        {
            return false;
        }

        try
        {
            PushResponse.Parser.ParseFrom(answer.Body);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static WriteOutcome RateLimit(string message, TimeSpan? retryAfter)
    {
        if (message.Contains("series limit", StringComparison.OrdinalIgnoreCase))
        {
            return new(WriteOutcome.Verdict.SeriesRefused, "series_limit", message);
        }

        // One profile larger than the whole limit never passes: no bucket fills that far.
        if (RateExceeded().Match(message) is { Success: true } rate
            && Bytes(rate.Groups["limit"].Value) is > 0 and var limit && Bytes(rate.Groups["added"].Value) > limit)
        {
            return new(WriteOutcome.Verdict.TooLarge, "over_burst", message);
        }

        if (NextReset().Match(message) is { Success: true })
        {
            return new(WriteOutcome.Verdict.RateLimited, "quota", message, retryAfter ?? TimeSpan.FromMinutes(5));
        }

        return new(WriteOutcome.Verdict.RateLimited, "rate_limited", message, retryAfter ?? TimeSpan.FromSeconds(1));
    }

    private static string Rejection(string message) =>
        message.Contains("outside of ingestion window", StringComparison.Ordinal) ? "outside_ingestion_window" : "rejected";

    private static (string Code, string Message) ReadError(PushAnswer answer)
    {
        if (answer.ContentType == "application/json")
        {
            try
            {
                var error = JsonSerializer.Deserialize(answer.Body, ConnectErrorJson.Default.ConnectError);
                return (error?.Code ?? "", Shorten(error?.Message ?? ""));
            }
            catch (JsonException)
            {
                return ("", Shorten(Encoding.UTF8.GetString(answer.Body)));
            }
        }

        return ("", Shorten($"HTTP {answer.Status} {Encoding.UTF8.GetString(answer.Body)}"));
    }

    /// <summary>One line of bounded length: it goes into logs.</summary>
    private static string Shorten(string text)
    {
        var line = new StringBuilder();
        foreach (var character in text.AsSpan(0, Math.Min(text.Length, MessageLimit)))
        {
            line.Append(char.IsControl(character) ? ' ' : character);
        }

        return line.ToString().Trim();
    }

    private static double Bytes(string text)
    {
        var parts = text.Split(' ');
        var factor = parts.ElementAtOrDefault(1) switch
        {
            "KiB" or "kB" or "KB" => 1024d,
            "MiB" or "MB" => 1024d * 1024,
            "GiB" or "GB" => 1024d * 1024 * 1024,
            _ => 1d,
        };
        return double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number * factor : 0;
    }

    [GeneratedRegex(@"push rate limit \((?<limit>[\d.]+ ?[A-Za-z]*)\) exceeded while adding (?<added>[\d.]+ ?[A-Za-z]*)", RegexOptions.CultureInvariant)]
    private static partial Regex RateExceeded();

    [GeneratedRegex(@"next reset at \S+", RegexOptions.CultureInvariant)]
    private static partial Regex NextReset();
}
