using ActorProfiler.Protocol;
using Akka.Actor;
using Akka.Event;

namespace ActorProfiler.Collector.Batching;

/// <summary>
/// Does the disk's work for <see cref="BatchSenderActor"/>, its parent, so that a slow disk delays no sending. Opening, then Working.
/// Without a folder that can be used it is Off: batches stay in memory.
/// </summary>
internal sealed class SpoolActor : ReceiveActor
{
    private readonly string _folder;
    private readonly long _mostBytes;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private BatchSpool _spool = null!;
    private bool _isFailing;

    public SpoolActor(string folder, long mostBytes)
    {
        (_folder, _mostBytes) = (folder, mostBytes);
        Receive<Open>(_ => OpenSpool());
    }

    /// <summary>Answered with <see cref="Written"/> when they are on disk; not at all when the disk fails.</summary>
    public sealed record Write(IReadOnlyList<Submit> Batches);

    /// <summary>These batches need not be kept any longer.</summary>
    public sealed record Settle(IReadOnlyList<BatchKey> Keys);

    /// <summary>Answered with <see cref="Loaded"/>.</summary>
    public sealed record Load(BatchKey Key);

    /// <summary>What earlier starts left behind, oldest first; the first message to the parent.</summary>
    public sealed record Restored(IReadOnlyList<(Submit Batch, DateTimeOffset Written)> Batches, int Damaged);

    /// <param name="Evicted">Older batches that are on disk no longer: the bound was reached.</param>
    public sealed record Written(IReadOnlyList<BatchKey> Keys, IReadOnlyList<BatchKey> Evicted, long Bytes);

    /// <param name="Batch">Null when its bytes are damaged or gone.</param>
    public sealed record Loaded(BatchKey Key, Submit? Batch);

    private sealed record Open;

    public static Props Props(string folder, long mostBytes) => Akka.Actor.Props.Create(() => new SpoolActor(folder, mostBytes));

    protected override void PreStart() => Self.Tell(new Open());

    private void OpenSpool()
    {
        try
        {
            _spool = BatchSpool.Open(_folder, _mostBytes, out var kept);
            Context.Parent.Tell(new Restored(kept, _spool.Damaged));
            Become(Working);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            _log.Error("open the spool {0}: {1}; batches are kept in memory only", _folder, cause.Message);
            Context.Parent.Tell(new Restored([], 0));
            Become(Off);
        }
    }

    private void Working()
    {
        Receive<Write>(write => Try("write to", () =>
            Context.Parent.Tell(new Written([.. write.Batches.Select(BatchKey.Of)], _spool.Write(write.Batches), _spool.Bytes))));
        Receive<Settle>(settle => Try("settle in", () => _spool.Settle(settle.Keys)));
        Receive<Load>(load =>
        {
            Submit? batch = null;
            Try("read from", () => batch = _spool.Read(load.Key));
            Context.Parent.Tell(new Loaded(load.Key, batch));
        });
    }

    private void Off()
    {
        Receive<Write>(_ => { });
        Receive<Settle>(_ => { });
        Receive<Load>(load => Context.Parent.Tell(new Loaded(load.Key, null)));
    }

    private void Try(string what, Action work)
    {
        try
        {
            work();
            _isFailing = false;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // One line per change of state.
            if (!_isFailing)
            {
                _log.Warning("{0} the spool {1}: {2}; new batches are kept in memory only", what, _folder, cause.Message);
            }

            _isFailing = true;
        }
    }
}
