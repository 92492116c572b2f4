using System.Text;
using ActorProfiler.Aggregator.Destinations;
using static ActorProfiler.Aggregator.Destinations.WriteOutcome;

namespace ActorProfiler.Tests.Destinations;

public class PushResponsesTests
{
    // Messages as Pyroscope servers write them.
    [Theory]
    [InlineData(400, "invalid_argument", "profile time is outside of ingestion window", "Rejected outside_ingestion_window")]
    [InlineData(400, "invalid_argument", "empty profile", "Rejected rejected")]
    [InlineData(400, null, "Bad Request", "ServerFault http_400")]
    [InlineData(401, "unauthenticated", "no org id", "Misconfigured unauthorized")]
    [InlineData(403, null, "forbidden", "Misconfigured unauthorized")]
    [InlineData(404, null, "not found", "Misconfigured wrong_url")]
    [InlineData(302, null, "", "Misconfigured wrong_url")]
    [InlineData(408, null, "", "Transient http_408")]
    [InlineData(413, null, "too large", "TooLarge too_large")]
    [InlineData(422, "resource_exhausted", "push rate limit (4.0 MiB) exceeded", "RateLimited rate_limited")]
    [InlineData(429, "resource_exhausted", "push rate limit (4.0 MiB) exceeded while adding 1.2 MiB", "RateLimited rate_limited")]
    [InlineData(429, "resource_exhausted", "push rate limit (1.0 KiB) exceeded while adding 1.2 MiB", "TooLarge over_burst")]
    [InlineData(429, "resource_exhausted", "push rate limit (0 B) exceeded while adding 1.2 MiB", "RateLimited rate_limited")]
    [InlineData(429, "resource_exhausted", "Maximum active series limit exceeded (5000/5000)", "SeriesRefused series_limit")]
    [InlineData(429, "resource_exhausted", "limit of 10 GB/month reached, next reset at 2026-12-01T00:00:00Z", "RateLimited quota")]
    [InlineData(500, "unknown", "gzip reset: EOF", "ServerFault http_500")]
    [InlineData(501, null, "", "Misconfigured wrong_url")]
    [InlineData(503, "unavailable", "starting", "Transient http_503")]
    [InlineData(504, null, "<html>", "Transient http_504")]
    public void Tells_what_may_pass_from_what_will_not(int status, string? code, string message, string expected)
    {
        var outcome = PushResponses.Classify(code is null
            ? new PushAnswer(status, "text/html", Encoding.UTF8.GetBytes(message), null)
            : new PushAnswer(status, "application/json", Encoding.UTF8.GetBytes($$"""{"code":"{{code}}","message":"{{message}}"}"""), null));

        Assert.Equal(expected, $"{outcome.What} {outcome.Reason}");
    }

    [Fact]
    public void Takes_only_an_empty_push_response_for_success()
    {
        Assert.Equal(Delivered, PushResponses.Classify(new PushAnswer(200, "application/proto", [], null)));
        Assert.Equal(Verdict.Misconfigured, PushResponses.Classify(new PushAnswer(200, "text/html", "<html>log in</html>"u8.ToArray(), null)).What);
    }

    [Fact]
    public void Keeps_control_characters_out_of_messages() =>
        Assert.Equal("HTTP 500 a b", PushResponses.Classify(new PushAnswer(500, "", "a\nb"u8.ToArray(), null)).Message);
}
