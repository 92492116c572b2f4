namespace ActorProfiler.Tests;

/// <summary>Tries a parser on damaged copies of a good input: every truncation step and many changed bytes.</summary>
internal static class Mutations
{
    /// <summary>Anything but success and FormatException fails the test, with the seed that reproduces it.</summary>
    public static void Try(byte[] good, Action<byte[]> parse, int rounds = 2000)
    {
        for (var length = 0; length < good.Length; length += Math.Max(1, good.Length / 500))
        {
            Attempt(good[..length], parse, $"truncated to {length}");
        }

        for (var seed = 0; seed < rounds; seed++)
        {
            var random = new Random(seed);
            var bytes = (byte[])good.Clone();
            for (var changes = random.Next(1, 9); changes > 0; changes--)
            {
                // Half of the changes hit the first bytes, where headers are.
                var at = random.Next(2) == 0 ? random.Next(Math.Min(256, bytes.Length)) : random.Next(bytes.Length);
                bytes[at] = random.Next(4) switch { 0 => 0xff, 1 => 0, 2 => 0x80, _ => (byte)random.Next(256) };
            }

            Attempt(bytes, parse, $"changed with seed {seed}");
        }
    }

    private static void Attempt(byte[] bytes, Action<byte[]> parse, string how)
    {
        try
        {
            parse(bytes);
        }
        catch (FormatException)
        {
            // the one error a parser of foreign bytes may raise
        }
        catch (Exception e)
        {
            Assert.Fail($"input {how}: {e}");
        }
    }
}
