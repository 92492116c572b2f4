namespace ActorProfiler.Aggregator.Destinations;

/// <summary>How an attempt to write a profile ended.</summary>
/// <param name="Reason">Snake case, one of a small fixed set: a metric label.</param>
/// <param name="Message">For people: what the destination said.</param>
/// <param name="RetryAfter">How long the destination asks to be left alone.</param>
internal sealed record WriteOutcome(WriteOutcome.Verdict What, string Reason, string Message = "", TimeSpan? RetryAfter = null)
{
    public static readonly WriteOutcome Delivered = new(Verdict.Delivered, "delivered");

    public enum Verdict
    {
        Delivered,

        /// <summary>May work later: the network, an overloaded or restarting server. Possibly the profile was stored.</summary>
        Transient,

        /// <summary>As transient, but some servers answer so to a profile they cannot read: tried a bounded number of times.</summary>
        ServerFault,

        /// <summary>Too much at the moment; the whole destination pauses.</summary>
        RateLimited,

        /// <summary>This series is not taken at the moment; others are.</summary>
        SeriesRefused,

        /// <summary>Credentials or URL are wrong. Nothing is lost; the whole destination pauses and probes.</summary>
        Misconfigured,

        /// <summary>A smaller profile may be taken.</summary>
        TooLarge,

        /// <summary>This profile will never be taken.</summary>
        Rejected,

        /// <summary>The configuration leaves this profile out for this destination.</summary>
        LeftOut,
    }
}
