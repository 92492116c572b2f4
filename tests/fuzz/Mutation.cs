namespace ActorProfiler.Fuzz;

/// <summary>Makes bad inputs out of good ones.</summary>
internal static class Mutation
{
    private static readonly ulong[] _edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, long.MaxValue, ulong.MaxValue];

    public static byte[] Of(List<byte[]> seeds, Random random)
    {
        var bytes = (byte[])seeds[random.Next(seeds.Count)].Clone();
        for (var changes = random.Next(1, 12); changes > 0 && bytes.Length > 0; changes--)
        {
            bytes = Change(bytes, seeds, random);
        }

        return bytes;
    }

    private static byte[] Change(byte[] bytes, List<byte[]> seeds, Random random)
    {
        var at = random.Next(3) == 0 ? random.Next(Math.Min(512, bytes.Length)) : random.Next(bytes.Length);
        var length = random.Next(1, Math.Min(64, bytes.Length - at) + 1);
        switch (random.Next(7))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                var edge = BitConverter.GetBytes(_edges[random.Next(_edges.Length)]);
                var width = Math.Min(1 << random.Next(4), bytes.Length - at);
                edge.AsSpan(0, width).CopyTo(bytes.AsSpan(at));
                return bytes;
            case 3:
                return bytes[..at];
            case 4:
                return [.. bytes[..at], .. bytes[at..(at + length)], .. bytes[at..]];
            case 5:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            default:
                var other = seeds[random.Next(seeds.Count)];
                var from = random.Next(other.Length);
                var part = other.AsSpan(from, Math.Min(length, other.Length - from));
                part[..Math.Min(part.Length, bytes.Length - at)].CopyTo(bytes.AsSpan(at));
                return bytes;
        }
    }
}
