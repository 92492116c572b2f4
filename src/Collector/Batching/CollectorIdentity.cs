using System.Globalization;
using System.Security.Cryptography;

namespace ActorProfiler.Collector.Batching;

/// <summary>Who a collector is, for ever and in this run: with a sequence number it names a batch uniquely.</summary>
/// <param name="Id">16 random bytes, made at the first start. Not the host's name: clones share that.</param>
/// <param name="Epoch">Greater than in every run before.</param>
public sealed record CollectorIdentity(ReadOnlyMemory<byte> Id, ulong Epoch)
{
    private const int IdBytes = 16;
    private const string FileName = "collector-id";

    /// <summary>An identity that is kept nowhere: for one-shot use.</summary>
    public static CollectorIdentity Ephemeral() => new(RandomNumberGenerator.GetBytes(IdBytes), Epoch: 1);

    /// <summary>Reads or makes the identity in <paramref name="folder"/> and begins a new epoch.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="FormatException">The file has another form.</exception>
    public static CollectorIdentity Open(string folder, TimeProvider time)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var path = Path.Combine(folder, FileName);
        var now = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds();
        var (id, last) = File.Exists(path) ? Parse(path, File.ReadAllText(path)) : (RandomNumberGenerator.GetBytes(IdBytes), 0ul);
        var epoch = Math.Max(now, last + 1);

        return Keep(path, new CollectorIdentity(id, epoch));
    }

    /// <summary>Puts a new identity in the place of the one in <paramref name="folder"/>.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static CollectorIdentity Renew(string folder, TimeProvider time) =>
        Keep(Path.Combine(folder, FileName), new CollectorIdentity(RandomNumberGenerator.GetBytes(IdBytes), (ulong)time.GetUtcNow().ToUnixTimeMilliseconds()));

    private static CollectorIdentity Keep(string path, CollectorIdentity identity)
    {
        // Written beside and moved over: a crash leaves the old file or the new one.
        var next = path + ".next";
        File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(identity.Id.Span)} {identity.Epoch}\n"));
        File.Move(next, path, overwrite: true);
        return identity;
    }

    private static (byte[] Id, ulong Epoch) Parse(string path, string text)
    {
        var fields = text.Split(' ', StringSplitOptions.TrimEntries);
        if (fields.Length != 2 || fields[0].Length != 2 * IdBytes || !fields[0].All(char.IsAsciiHexDigit)
            || !ulong.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch))
        {
            throw new FormatException(
                $"{path}: expected 32 hexadecimal digits and the last epoch, but it says '{text.Trim()}'; delete the file to get a new identity");
        }

        return (Convert.FromHexString(fields[0]), epoch);
    }
}
