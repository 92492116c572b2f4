using System.Collections.Concurrent;
using System.Collections.Immutable;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets;

/// <summary>Matches processes to targets, in each <c>pyroscope.ebpf</c> block: by pid, then by container, then by the default.</summary>
/// <remarks>
/// Thread-safe: the sampling thread asks when it meets a process, the stacks stage when an interval ends. What a process is is read from
/// <c>/proc</c> at the first question and kept, so that its last samples still find their target when it is gone.
/// </remarks>
internal sealed class TargetTable : IProcessPolicy
{
    private readonly ContainerCache _containers = new();
    private volatile View _view = new([], SamplingOptions.DefaultRate);

    /// <summary>What is asked about a process, read while it lives.</summary>
    internal sealed record ProcessFacts(string ContainerId, string DefaultName);

    private sealed record View(ImmutableArray<TargetIndex> Blocks, int SampleRate)
    {
        /// <summary>Targets of two blocks as one; null when they are different series.</summary>
        public ConcurrentDictionary<(Target First, Target Second), Target?> Joint { get; } = new();
    }

    public int Count => _view.Blocks.Sum(block => block.Count);

    /// <summary>Takes over the targets that discovery found now, one list for each block.</summary>
    public void Replace(params ImmutableArray<TargetList> targets) => _view = Of(targets, _view.SampleRate);

    /// <summary>The host's rate has changed: targets with one of their own keep other parts of it.</summary>
    public void SetSampleRate(int sampleRate) => _view = Of([.. _view.Blocks.Select(block => block.List)], sampleRate);

    /// <summary>How many processes without samples it remembers.</summary>
    public void SetBounds(ContainerCache.Bounds bounds) => _containers.SetBounds(bounds);

    /// <summary>A line for each process and container that several targets name: which of them counts.</summary>
    public static IEnumerable<string> Duplicates(ImmutableArray<LabelSet> discovered) =>
        from labels in discovered
        let target = Target.From(labels)
        where target is not null
        group target by (target.Pid, target.ContainerId) into same
        let different = same.Select(target => target.Labels).Distinct().OrderBy(series => series.ToString(), StringComparer.Ordinal).ToList()
        where different.Count > 1
        select $"{different.Count} targets name {(same.Key.Pid > 0 ? $"process {same.Key.Pid}" : $"container {same.Key.ContainerId}")}; it is profiled as {different[0]}";

    /// <remarks>Where blocks disagree about a process, it is sampled by the wishes of both: at the higher rate, with what either of them takes.</remarks>
    public ProcessDecision Decide(KnownProcess process)
    {
        var found = new List<Target>();
        Find(process, isSampled: false, found, _view);
        if (found.Count == 0)
        {
            return ProcessDecision.Ignored;
        }

        const ProcessFlags Withheld = ProcessFlags.NoUser | ProcessFlags.NoKernel;
        var options = found.Select(target => target.Options).ToList();
        var withheld = options.Select(option => option.Flags).Aggregate((left, right) => left & right) & Withheld;
        var added = options.Select(option => option.Flags).Aggregate((left, right) => left | right) & ~Withheld;
        bool? python = options.Exists(option => option.Python is null) ? options.Exists(option => option.Python == true) ? true : null : options.Exists(option => option.Python == true);
        return new ProcessDecision(IsProfiled: true, options.Min(option => option.KeepOneIn), withheld | added, python);
    }

    /// <summary>The target of a process in the first block that has one, or null.</summary>
    public Target? Match(KnownProcess process)
    {
        var found = new List<Target>(1);
        Match(process, found);
        return found.FirstOrDefault();
    }

    /// <summary>Adds the target of a process that has samples in each block, one for each series.</summary>
    public void Match(KnownProcess process, List<Target> found)
    {
        var view = _view;
        Find(process, isSampled: true, found, view);
        Join(found, view);
    }

    /// <summary>The targets of a process of which all is known, with their blocks.</summary>
    internal IEnumerable<(TargetList Block, Target? Target)> Match(int pid, ProcessFacts facts) =>
        _view.Blocks.Select(block => (block.List, block.Find(pid, facts)));

    public void Forget(ProcessIdentity process) => _containers.Forget(process);

    /// <summary>Ends a collect interval.</summary>
    public void EndRound() => _containers.EndRound();

    /// <summary>What a process is called when no target names it.</summary>
    internal static ProcessFacts Read(int pid, string comm)
    {
        const int ShortId = 12;
        var cgroups = ProcFiles.Cgroup(pid) ?? "";
        var container = ContainerId.Find(cgroups);
        var name = SystemdUnit.Find(cgroups) is { Length: > 0 } unit ? unit
            : container.Length > 0 ? container[..ShortId]
            : ProcFiles.Executable(pid) is { } path ? Path.GetFileName(path).Replace(" (deleted)", "", StringComparison.Ordinal)
            : comm;
        return new ProcessFacts(container, name.Length > 0 ? name : comm);
    }

    private void Find(KnownProcess process, bool isSampled, List<Target> found, View view)
    {
        ProcessFacts? facts = null;
        foreach (var block in view.Blocks)
        {
            var target = block.Find(process.Identity.Pid)
                ?? block.Find(process.Identity.Pid, facts ??= _containers.Get(process, isSampled, static known => Read(known.Identity.Pid, known.Comm)));
            if (target is not null)
            {
                found.Add(target);
            }
        }
    }

    private static View Of(ImmutableArray<TargetList> lists, int sampleRate) => new([.. lists.Select(list => new TargetIndex(list, sampleRate))], sampleRate);

    /// <summary>
    /// Puts those of one series together: a sample counts once in it, whatever number of blocks put it there. Blocks that go different ways and give a
    /// process the same labels have one series of it, which goes the ways of all and is named as the first of them says.
    /// </summary>
    private static void Join(List<Target> found, View view)
    {
        for (var i = 1; i < found.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (view.Joint.GetOrAdd((found[j], found[i]), static pair => Joined(pair.First, pair.Second)) is { } joint)
                {
                    found[j] = joint;
                    found.RemoveAt(i--);
                    break;
                }
            }
        }
    }

    private static Target? Joined(Target first, Target second)
    {
        if (first.Labels.Equals(second.Labels))
        {
            return first;
        }

        var origins = $"{first.Labels[LabelNames.Origin]},{second.Labels[LabelNames.Origin]}";
        return first.Labels.Where(name => name != LabelNames.Origin).Equals(second.Labels.Where(name => name != LabelNames.Origin))
            ? first with { Labels = first.Labels.With(LabelNames.Origin, origins) }
            : null;
    }
}
