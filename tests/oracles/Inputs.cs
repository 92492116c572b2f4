using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Oracles;

internal static class Inputs
{
    public static IEnumerable<string> Lines(string path)
    {
        using var reader = path == "-" ? Console.In : new StreamReader(path);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    public static ElfFile Open(string path)
    {
        var handle = File.OpenHandle(path);
        return ElfFile.Read(new FileSource(handle, RandomAccess.GetLength(handle)), Path.GetFullPath(path));
    }
}
