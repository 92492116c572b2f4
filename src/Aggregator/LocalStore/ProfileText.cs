using ActorProfiler.Pprof;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>Reads a profile's string table.</summary>
internal static class ProfileText
{
    /// <exception cref="FormatException">The index is outside the string table.</exception>
    public static string TextAt(this Profile profile, long index) =>
        index == 0 ? ""
        : index > 0 && index < profile.StringTable.Count ? profile.StringTable[(int)index]
        : throw new FormatException($"string {index} is outside the table of {profile.StringTable.Count}");
}
