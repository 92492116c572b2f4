using ActorProfiler.Aggregator.Pprof;
using ActorProfiler.Labels;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>One service and the CPU time it took.</summary>
internal sealed record ServiceShare(string Name, double CpuSeconds, int Profiles);

/// <summary>What the store holds and what it let go.</summary>
/// <param name="OldestNanos">Start of the oldest profile, Unix nanoseconds; 0 when empty.</param>
/// <param name="DroppedByAge">Profiles that outlived <see cref="ProfileStoreOptions.MaxAge"/>.</param>
/// <param name="DroppedByBytes">Profiles that had to go before that, to stay within <see cref="ProfileStoreOptions.MaxBytes"/>.</param>
internal sealed record ProfileStoreState(int Profiles, long Bytes, long OldestNanos, long DroppedByAge, long DroppedByBytes);

/// <summary>The newest profiles, in memory: what the page shows.</summary>
/// <remarks>Thread-safe. Bounded by age and bytes; the oldest goes first and is counted.</remarks>
internal sealed class ProfileStore(ProfileStoreOptions options, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly SortedSet<StoredProfile> _profiles = new(StoredProfile.ByAge);
    private long _bytes;
    private long _sequence;
    private long _droppedByAge;
    private long _droppedByBytes;

    public ProfileStoreOptions Options => options;

    public TimeProvider Clock => clock;

    /// <param name="profile">Its payload must not change any more.</param>
    public void Add(EncodedProfile profile)
    {
        lock (_gate)
        {
            var stored = new StoredProfile(profile, _sequence++);
            _profiles.Add(stored);
            _bytes += stored.Bytes;
            DropOld();
            while (_bytes > options.MaxBytes)
            {
                DropOldest(ref _droppedByBytes);
            }
        }
    }

    public ProfileStoreState State()
    {
        lock (_gate)
        {
            DropOld();
            return new ProfileStoreState(_profiles.Count, _bytes, _profiles.Min?.Profile.TimeNanos ?? 0, _droppedByAge, _droppedByBytes);
        }
    }

    /// <summary>The services seen in a range, those with the most CPU time first.</summary>
    public IReadOnlyList<ServiceShare> Services(TimeRange range) =>
        [.. Select(ProfileSelector.All, range)
            .GroupBy(stored => stored.Profile.Labels[LabelNames.ServiceName], StringComparer.Ordinal)
            .Select(group => new ServiceShare(group.Key, group.Sum(stored => stored.CpuNanos()) / 1e9, group.Count()))
            .OrderByDescending(service => service.CpuSeconds).ThenBy(service => service.Name, StringComparer.Ordinal)];

    /// <summary>The label sets seen in a range, ordered by their text.</summary>
    public IReadOnlyList<LabelSet> Series(ProfileSelector selector, TimeRange range) =>
        [.. Select(selector, range).Select(stored => stored.Profile.Labels).Distinct().OrderBy(labels => labels.ToString(), StringComparer.Ordinal)];

    /// <summary>Merges the profiles of a selection by function. An empty selection gives a graph of only the root.</summary>
    public FlameGraph Query(ProfileSelector selector, TimeRange range, int nodeLimit = FlameGraphBuilder.DefaultNodeLimit, CancellationToken cancellation = default)
    {
        var selected = Select(selector, range);
        var builder = new FlameGraphBuilder(nodeLimit);
        var unreadable = 0;
        foreach (var stored in selected)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                builder.Add(PprofPayload.Open(stored.Profile.Pprof));
            }
            catch (FormatException)
            {
                unreadable++;
            }
        }

        var covered = selected.Length == 0 ? default
            : new TimeRange(selected.Min(stored => stored.Profile.TimeNanos), selected.Max(stored => stored.EndNanos));
        var series = selected.Select(stored => stored.Profile.Labels).Distinct().Count();
        return builder.Build(selected.Length - unreadable, series, unreadable, covered);
    }

    /// <summary>Merges the profiles of a selection by location into one gzip-compressed profile; null when there is none.</summary>
    public byte[]? Pprof(ProfileSelector selector, TimeRange range, int sampleLimit = ProfileMerge.DefaultSampleLimit, CancellationToken cancellation = default)
    {
        var merge = new ProfileMerge(sampleLimit);
        foreach (var stored in Select(selector, range))
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                merge.Add(PprofPayload.Open(stored.Profile.Pprof));
            }
            catch (FormatException)
            {
                merge.Unreadable++;
            }
        }

        return merge.Profiles == 0 ? null : PprofPayload.Close(merge.Build());
    }

    private StoredProfile[] Select(ProfileSelector selector, TimeRange range)
    {
        lock (_gate)
        {
            DropOld();
            return [.. _profiles.Where(stored => range.Overlaps(stored.Profile) && selector.Accepts(stored.Profile.Labels))];
        }
    }

    private void DropOld()
    {
        var limit = TimeRange.UnixNanos(clock.GetUtcNow() - options.MaxAge);
        while (_profiles.Min is { } oldest && oldest.EndNanos < limit)
        {
            DropOldest(ref _droppedByAge);
        }
    }

    private void DropOldest(ref long counter)
    {
        var oldest = _profiles.Min!;
        _profiles.Remove(oldest);
        _bytes -= oldest.Bytes;
        counter++;
    }
}
