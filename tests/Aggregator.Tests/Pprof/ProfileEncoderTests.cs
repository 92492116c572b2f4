using System.Diagnostics;
using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Protocol;

namespace ActorProfiler.Tests;

public class ProfileEncoderTests
{
    [Fact]
    public void States_type_period_time_and_mappings()
    {
        var encoded = Assert.Single(Encode(Samples.Batch(Samples.Start + 123, 10_000_000, 2, ("work;main", 3))));
        var profile = ProfileSplitter.Decode(encoded.Pprof);

        Assert.Equal(("cpu", "nanoseconds"), (Text(profile, profile.SampleType[0].Type), Text(profile, profile.SampleType[0].Unit)));
        Assert.Equal(("cpu", "nanoseconds"), (Text(profile, profile.PeriodType.Type), Text(profile, profile.PeriodType.Unit)));
        Assert.Equal((10_000_000, Samples.Start + 123, Samples.Second), (profile.Period, profile.TimeNanos, profile.DurationNanos));
        Assert.Equal([60_000_000L], profile.Sample[0].Value);
        var mapping = Assert.Single(profile.Mapping);
        Assert.Equal(("/usr/bin/web", "abcdef0123456789"), (Text(profile, mapping.Filename), Text(profile, mapping.BuildId)));
        Assert.Equal((0x1000ul, 0x9000ul, 0x1000ul), (mapping.MemoryStart, mapping.MemoryLimit, mapping.FileOffset));
        Assert.True(mapping.HasFunctions);
        Assert.False(mapping.HasInlineFrames || mapping.HasLineNumbers || mapping.HasFilenames);
        Assert.Equal((3, encoded.TimeNanos), (encoded.Ticks, profile.TimeNanos));
    }

    [Fact]
    public async Task Is_read_by_go_tool_pprof()
    {
        Requirements.Tool("go", "golang-go");
        var batch = Samples.Batch(("work;main", 3), ("idle;main", 1));
        batch.Strings.Add("[kernel.kallsyms]");
        batch.Strings.Add("do_syscall_64");
        batch.Modules.Add(new Module { File = (uint)batch.Strings.Count - 2 });
        batch.Functions.Add(new Function { Name = (uint)batch.Strings.Count - 1, SystemName = (uint)batch.Strings.Count - 1 });
        batch.Locations.Add(new Location { Module = 2, Address = 0xffffffff81000000, Lines = { new Line { Function = (uint)batch.Functions.Count - 1 } } });
        batch.Stacks.Insert(0, (uint)batch.Locations.Count - 1);
        (batch.StackEnds[0], batch.StackEnds[1]) = (3, 5);
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "profile.pb.gz");
        await File.WriteAllBytesAsync(path, Encode(batch)[0].Pprof.ToArray());

        var (code, output) = await RunAsync("go", "tool", "pprof", "-raw", path);

        Assert.True(code == 0, output);
        Assert.Contains("PeriodType: cpu nanoseconds", output);
        Assert.Contains("Period: 10000000", output);
        Assert.Matches(@"(?m)^ +30000000: \d+ \d+ \d+ *$", output);
        Assert.Contains("do_syscall_64", output);
        Assert.Matches(@"0x1000/0x9000/0x1000 /usr/bin/web abcdef0123456789 \[FN\]", output);
        Assert.Contains("[kernel.kallsyms]", output);
    }

    [Fact]
    public void Splits_beyond_a_limit_into_parts_that_add_up_and_have_times_of_their_own()
    {
        var batch = Samples.Batch([.. Enumerable.Range(0, 1000).Select(i => ($"function_with_a_long_name_{i};main", (ulong)i + 1))]);

        var parts = Encode(batch, new ProfileLimits(Bytes: 20_000, Samples: 200));

        var profiles = parts.Select(part => ProfileSplitter.Decode(part.Pprof)).ToList();
        Assert.All(profiles, profile => Assert.True(profile.CalculateSize() <= 20_000 && profile.Sample.Count <= 200));
        Assert.Equal(500_500L * 10_000_000, profiles.Sum(profile => profile.Sample.Sum(sample => sample.Value[0])));
        Assert.Equal(500_500, parts.Sum(part => part.Ticks));
        Assert.Equal(parts.Count, parts.Select(part => part.TimeNanos / 1_000_000).Distinct().Count());
        Assert.True(parts.Count > 2);
    }

    [Fact]
    public void Halves_add_up_to_the_whole()
    {
        var times = new SeriesTimes();
        var whole = Assert.Single(Encode(Samples.Batch(("a;main", 3), ("b;main", 4), ("c;d", 6)), times: times));

        var halves = ProfileSplitter.Split(whole, times);

        Assert.Equal(2, halves.Count);
        Assert.Equal(13, halves.Sum(half => half.Ticks));
        Assert.Equal(130_000_000, halves.Sum(half => ProfileSplitter.Decode(half.Pprof).Sample.Sum(sample => sample.Value[0])));
        Assert.NotEqual(halves[0].TimeNanos / 1_000_000, halves[1].TimeNanos / 1_000_000);
        Assert.All(halves, half => Assert.Equal(half.TimeNanos, ProfileSplitter.Decode(half.Pprof).TimeNanos));
    }

    [Fact]
    public void Replaces_what_is_not_text()
    {
        var merged = Merge(Samples.Batch(("a", 1)));
        var broken = merged with { Strings = [.. merged.Strings.Select(text => text == "a" ? "a\uD800b" : text)] };

        var profile = ProfileSplitter.Decode(ProfileEncoder.Encode(Samples.Web, broken, new ProfileLimits(), new SeriesTimes())[0].Pprof);

        Assert.Contains("a\uFFFDb", profile.StringTable);
    }

    private static IReadOnlyList<EncodedProfile> Encode(SampleBatch batch, ProfileLimits? limits = null, SeriesTimes? times = null) =>
        ProfileEncoder.Encode(Samples.Web, Merge(batch), limits ?? new ProfileLimits(), times ?? new SeriesTimes());

    private static MergedProfile Merge(SampleBatch batch)
    {
        var window = new ProfileWindow();
        window.Add(default, batch);
        return window.Flush();
    }

    private static string Text(ActorProfiler.Pprof.Profile profile, long index) => profile.StringTable[(int)index];

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }
}
