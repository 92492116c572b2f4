using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ActorProfiler.Fuzz;
using SharpFuzz;

// fuzz TARGET [SECONDS] [FOLDER]     changed copies of seeds and of the folder's files; findings are written to findings/TARGET
// fuzz TARGET --afl                  one input at a time from afl-fuzz, with the collector instrumented by sharpfuzz; see fuzz.sh
// fuzz TARGET --seeds FOLDER         writes the target's own seeds there
if (args is not [var name, ..] || !FuzzTargets.All.TryGetValue(name, out var target))
{
    Console.Error.WriteLine($"usage: fuzz TARGET [SECONDS] [FOLDER], fuzz TARGET --afl, fuzz TARGET --seeds FOLDER; targets: {string.Join(", ", FuzzTargets.All.Keys)}");
    return 2;
}

if (args is [_, "--afl"])
{
    Fuzzer.OutOfProcess.Run(stream =>
    {
        using var input = new MemoryStream();
        stream.CopyTo(input);
        try
        {
            target(input.ToArray());
        }
        catch (FormatException)
        {
            return;
        }
    });
    return 0;
}

if (args is [_, "--seeds", var to])
{
    foreach (var (index, seed) in Seeds.For(name).Index())
    {
        File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(to).FullName, $"seed-{index}"), seed);
    }

    return 0;
}

var seconds = args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 10;
var folder = args.Length > 2 ? Directory.EnumerateFiles(args[2]).Select(File.ReadAllBytes) : [];
var seeds = Seeds.For(name).Concat(folder).ToList();
if (seeds.Count == 0)
{
    Console.Error.WriteLine($"{name} has no seeds of its own: give a folder with good inputs");
    return 2;
}

var limit = TimeSpan.FromSeconds(5);
var began = Stopwatch.StartNew();
var (runs, findings, slowest) = (0L, 0, TimeSpan.Zero);
for (var random = new Random(); began.Elapsed < TimeSpan.FromSeconds(seconds); runs++)
{
    var input = Mutation.Of(seeds, random);
    var watch = Stopwatch.StartNew();
    Exception? failure = null;
    try
    {
        target(input);
    }
    catch (FormatException)
    {
        failure = null;
    }
    catch (Exception e)
    {
        failure = e;
    }

    slowest = watch.Elapsed > slowest ? watch.Elapsed : slowest;
    if (failure is null && watch.Elapsed < limit)
    {
        continue;
    }

    findings++;
    var file = Path.Combine(Directory.CreateDirectory(Path.Combine("findings", name)).FullName, Convert.ToHexStringLower(SHA256.HashData(input))[..16]);
    File.WriteAllBytes(file, input);
    Console.WriteLine($"{file}: {failure?.ToString() ?? $"took {watch.Elapsed}"}");
}

Console.WriteLine($"{name}: {runs} inputs in {began.Elapsed.TotalSeconds:F0} s, {findings} findings, slowest {slowest.TotalMilliseconds:F0} ms");
return findings == 0 ? 0 : 1;
