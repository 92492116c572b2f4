namespace ActorProfiler.Commands.Doctor;

internal enum Verdict
{
    Good,

    /// <summary>Profiling works, something is left out.</summary>
    Limited,

    /// <summary>Profiling does not work.</summary>
    Missing,
}

/// <param name="Seen">What was found.</param>
/// <param name="Fix">What to do; "" when nothing is wrong.</param>
internal sealed record Finding(Verdict Verdict, string Subject, string Seen, string Fix = "");
