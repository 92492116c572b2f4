using ActorProfiler.Aggregator.Aggregation;
using ActorProfiler.Protocol;
using CsCheck;
using Google.Protobuf;

namespace ActorProfiler.Tests.Aggregation;

public class BatchDecoderTests
{
    public static TheoryData<string, Action<SampleBatch>> Broken => new()
    {
        { "start_unix_nanos", batch => batch.StartUnixNanos = 0 },
        { "duration_nanos", batch => batch.DurationNanos = -1 },
        { "period_nanos", batch => batch.PeriodNanos = 0 },
        { "weight", batch => batch.Weight = 0 },
        { "strings[0]", batch => batch.Strings[0] = "x" },
        { "strings[0]", batch => batch.Strings.Clear() },
        { "module.file", batch => batch.Modules[0].File = 99 },
        { "module.build_id", batch => batch.Modules[0].BuildId = 99 },
        { "function.name", batch => batch.Functions[0].Name = 99 },
        { "function.system_name", batch => batch.Functions[0].SystemName = uint.MaxValue },
        { "function.file", batch => batch.Functions[0].File = 99 },
        { "location.module", batch => batch.Locations[0].Module = 2 },
        { "line.function", batch => batch.Locations[0].Lines[0].Function = 99 },
        { "stack_ends count", batch => batch.StackEnds.RemoveAt(0) },
        { "stack_ends", batch => batch.StackEnds[0] = 99 },
        { "stack_ends", batch => batch.StackEnds[1] = 0 },
        { "stacks count", batch => batch.Stacks.Add(0) },
        { "stacks", batch => batch.Stacks[0] = 99 },
        { "ticks", batch => batch.Ticks[0] = 0 },
        { "ticks of the submit", batch => batch.Ticks[0] = 4 },
    };

    [Theory]
    [MemberData(nameof(Broken), DisableDiscoveryEnumeration = true)]
    public void Refuses_what_breaks_a_rule_and_names_it(string field, Action<SampleBatch> damage)
    {
        var batch = Samples.Batch(("work;main", 3), ("idle;main", 1));
        damage(batch);
        var submit = Samples.Submit(1, Samples.Web, batch.ToByteArray(), Compression.None, ticks: 4, stacks: (ulong)batch.Ticks.Count);

        Assert.StartsWith(field, Assert.Throws<FormatException>(() => BatchDecoder.Decode(submit)).Message);
    }

    [Fact]
    public void Reads_what_a_collector_sends()
    {
        var batch = Samples.Batch(("work;main", 3), ("idle;main", 1), ("", 2));

        Assert.Equal(batch, BatchDecoder.Decode(Samples.Submit(1, Samples.Web, batch)));
    }

    [Fact]
    public void Refuses_a_decompression_bomb()
    {
        var bomb = new byte[1000];
        var zeros = new byte[BatchDecoder.DecompressedLimit + 1];
        Assert.True(System.IO.Compression.BrotliEncoder.TryCompress(zeros, bomb, out var length, 11, 24));

        var submit = Samples.Submit(1, Samples.Web, bomb[..length], Compression.Brotli, 1);

        Assert.Contains("holds more than", Assert.Throws<FormatException>(() => BatchDecoder.Decode(submit)).Message);
    }

    [Fact]
    public void Ends_in_a_batch_or_a_format_error_for_any_bytes()
    {
        var sound = Samples.Batch(("work;main", 3), ("idle;main", 1)).ToByteArray();
        Gen.Select(Gen.Int[0, sound.Length - 1], Gen.Byte, Gen.Int[0, sound.Length]).Sample((position, value, length) =>
        {
            var bytes = sound.ToArray();
            bytes[position] = value;
            var submit = Samples.Submit(1, Samples.Web, bytes[..length], Compression.None, 4, stacks: 2);
            try
            {
                new ProfileWindow().Add(BatchId.Of(submit), BatchDecoder.Decode(submit));
            }
            catch (FormatException)
            {
                return;
            }
        });
    }
}
