using System.Runtime.InteropServices;
using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Interpreters.V8;

namespace ActorProfiler.Collector.Sampling;

/// <summary>Joins stacks, which come once through the ring buffer, with their counts, which come by hash at the end of an interval.</summary>
/// <remarks>
/// A stack is kept while the last two intervals saw it, so that a stack seen all the time costs no allocation and is
/// symbolized once. Not thread-safe.
/// </remarks>
internal sealed class StackTable(Func<StackRecord, KnownProcess> processOf, StackTable.PythonReader pythonOf, V8Names v8, JavaNames java)
{
    /// <summary>Names the Python frames of a record.</summary>
    public delegate PythonFrame[] PythonReader(KnownProcess process, ReadOnlySpan<ulong> words);

    /// <summary>Bounds memory: at 50 frames each this is some 60 MB.</summary>
    public const int MostStacks = 131_072;

    private const int RoundsKept = 2;

    private readonly Dictionary<ulong, RawStack> _byHash = [];
    private readonly List<CountedStack> _singles = [];
    private long _round;

    public int Count => _byHash.Count;

    /// <summary>Ticks dropped in this interval because the table was full.</summary>
    public long Refused { get; private set; }

    /// <summary>Takes one record of the ring buffer.</summary>
    /// <exception cref="FormatException">The record is shorter than it says.</exception>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Marshal.SizeOf<StackRecord>())
        {
            throw new FormatException($"stack record of {bytes.Length} bytes: expected at least {Marshal.SizeOf<StackRecord>()}");
        }

        var record = MemoryMarshal.Read<StackRecord>(bytes);
        var words = MemoryMarshal.Cast<byte, ulong>(bytes[Marshal.SizeOf<StackRecord>()..]);
        var (user, python, javaScript) = (record.UserFrames, 2 * record.PythonFrames, record.V8Frames);
        var kernel = user + python + javaScript;
        if (words.Length < kernel + record.KernelFrames)
        {
            throw new FormatException($"stack record of {bytes.Length} bytes: too short for its {kernel + record.KernelFrames} words");
        }

        var isSingle = record.Flags.HasFlag(RecordFlags.Single);
        if (!isSingle && _byHash.TryGetValue(record.Hash, out var known))
        {
            // Sent for the interval after the one that is joined next: it must outlive that one.
            known.LastRound = _round;
            v8.See(known.V8);
            java.See(known.Java);
            return;
        }

        if (_byHash.Count + _singles.Count >= MostStacks)
        {
            Refused += isSingle ? 1 : 0;
            return;
        }

        var process = processOf(record);
        var stack = new RawStack(
            process,
            [.. words[..user], .. words.Slice(kernel, record.KernelFrames)],
            user,
            python == 0 ? [] : pythonOf(process, words.Slice(user, python)),
            javaScript == 0 ? [] : v8.Read(process.V8, words.Slice(user + python, javaScript)),
            process.Java is { } jvm ? java.Read(jvm, process.Image, words[..user], words.Slice(user + python, javaScript)) : [],
            record.Weight,
            record.Ending,
            record.Flags)
        {
            LastRound = _round,
        };
        if (isSingle)
        {
            _singles.Add(new CountedStack(stack, 1));
        }
        else
        {
            _byHash.Add(record.Hash, stack);
        }
    }

    /// <summary>Takes one tick of a stack that was walked from its copy.</summary>
    /// <param name="addresses">User addresses, then kernel addresses, each innermost first.</param>
    /// <param name="python">Two words for each Python frame.</param>
    public void Add(KnownProcess process, in StackRecord record, ulong[] addresses, ReadOnlySpan<ulong> python, WalkEnding ending)
    {
        if (_byHash.Count + _singles.Count >= MostStacks)
        {
            Refused++;
            return;
        }

        var user = addresses.Length - record.KernelFrames;
        var frames = python.IsEmpty ? [] : pythonOf(process, python);
        _singles.Add(new CountedStack(new RawStack(process, addresses, user, frames, [], CopiedJava(process, addresses.AsSpan(0, user)), record.Weight, ending, record.Flags) { LastRound = _round }, 1));
    }

    private JavaFrame[] CopiedJava(KnownProcess process, ReadOnlySpan<ulong> user) => process.Java is { } jvm ? java.Read(jvm, process.Image, user, []) : [];

    /// <summary>Ends an interval: joins its counts with the stacks.</summary>
    /// <param name="joined">Receives the stacks seen, each once.</param>
    /// <returns>Ticks whose stack never came.</returns>
    public long Join(ReadOnlySpan<ulong> hashes, ReadOnlySpan<ulong> ticks, List<CountedStack> joined)
    {
        long orphans = 0;
        for (var i = 0; i < hashes.Length; i++)
        {
            if (_byHash.TryGetValue(hashes[i], out var stack))
            {
                stack.LastRound = _round;
                joined.Add(new CountedStack(stack, (long)ticks[i]));
            }
            else
            {
                orphans += (long)ticks[i];
            }
        }

        joined.AddRange(_singles);
        _singles.Clear();
        Refused = 0;
        _round++;
        Forget();
        return orphans;
    }

    private void Forget()
    {
        foreach (var (hash, stack) in _byHash)
        {
            if (_round - stack.LastRound > RoundsKept)
            {
                _byHash.Remove(hash);
            }
        }
    }
}
