using System.Collections.Concurrent;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>A place in a process's memory that samples have shown, and that the memory itself names.</summary>
internal abstract class SeenPlace(ulong address)
{
    public ulong Address => address;

    /// <summary>The last interval that saw it. Of the sampling thread.</summary>
    public long LastRound { get; set; }
}

/// <summary>The places of one process that samples have shown, and what is known of them.</summary>
/// <remarks>The sampling thread finds and asks; one reading thread at a time answers.</remarks>
internal abstract class SeenPlaces<TPlace>(ProcessIdentity identity) : IMemoryReader where TPlace : SeenPlace
{
    private const int MostPlaces = 16_384;
    private const int RoundsKept = 10;

    private readonly Dictionary<ulong, TPlace> _places = [];
    private readonly ConcurrentQueue<TPlace> _wanted = new();
    private int _version;
    private int _isInWork;

    public ProcessIdentity Identity => identity;

    /// <summary>Grows whenever a name becomes known or another one.</summary>
    public int Version => Volatile.Read(ref _version);

    public int Count => _places.Count;

    /// <summary>The place at an address, read already or asked for now.</summary>
    public TPlace Find(ulong address, long round) => Find(address, round, () => Make(address));

    /// <summary>As <see cref="Find(ulong, long)"/>, where the place is of another kind.</summary>
    protected TPlace Find(ulong address, long round, Func<TPlace> make)
    {
        if (!_places.TryGetValue(address, out var place))
        {
            if (_places.Count >= MostPlaces)
            {
                _places.Clear();
            }

            place = make();
            _places.Add(address, place);
            _wanted.Enqueue(place);
        }

        place.LastRound = round;
        return place;
    }

    /// <summary>Ends an interval: asks again for what it has seen and may have changed; forgets what was not seen for some time.</summary>
    public void EndRound(long round)
    {
        foreach (var (address, place) in _places)
        {
            if (round - place.LastRound > RoundsKept)
            {
                _places.Remove(address);
            }
            else if (place.LastRound == round && MayChange(place))
            {
                _wanted.Enqueue(place);
            }
        }
    }

    public virtual bool TryBegin() => !_wanted.IsEmpty && Interlocked.CompareExchange(ref _isInWork, 1, 0) == 0;

    public void Read(IByteSource? memory)
    {
        try
        {
            Read(memory, _wanted);
        }
        finally
        {
            Volatile.Write(ref _isInWork, 0);
        }
    }

    protected abstract TPlace Make(ulong address);

    /// <summary>Whether a place that was read must be looked at again.</summary>
    protected abstract bool MayChange(TPlace place);

    /// <summary>Empties <paramref name="wanted"/>, reading each place if it can be read.</summary>
    protected abstract void Read(IByteSource? memory, ConcurrentQueue<TPlace> wanted);

    /// <summary>A name has become known.</summary>
    protected void Change() => Interlocked.Increment(ref _version);
}
