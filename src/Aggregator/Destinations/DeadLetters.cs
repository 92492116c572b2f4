using System.Globalization;
using ActorProfiler.Aggregator.Pprof;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>
/// A bounded folder of profiles that a destination will never take: <c>*.pb.gz</c> with a <c>*.txt</c> of the labels and what the
/// destination said. The oldest go first.
/// </summary>
internal sealed class DeadLetters(string folder, TimeProvider clock)
{
    public const int FileLimit = 64;

    public const long ByteLimit = 64 << 20;

    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Keep(EncodedProfile profile, string message)
    {
        Directory.CreateDirectory(folder);
        var name = string.Create(
            CultureInfo.InvariantCulture, $"{clock.GetUtcNow():yyyyMMdd'T'HHmmss.fff}-{profile.Labels.Hash:x16}-{profile.TimeNanos}");
        File.WriteAllBytes(Path.Combine(folder, name + ".pb.gz"), profile.Pprof.ToArray());
        File.WriteAllText(Path.Combine(folder, name + ".txt"), $"{profile.Labels}\n{message}\n");
        Trim();
    }

    private void Trim()
    {
        var profiles = new DirectoryInfo(folder).GetFiles("*.pb.gz").OrderByDescending(file => file.Name, StringComparer.Ordinal);
        var (count, bytes) = (0, 0L);
        foreach (var file in profiles)
        {
            bytes += file.Length;
            if (++count > FileLimit || bytes > ByteLimit)
            {
                file.Delete();
                File.Delete(file.FullName.Replace(".pb.gz", ".txt", StringComparison.Ordinal));
            }
        }
    }
}
