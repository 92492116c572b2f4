using ActorProfiler.Aggregator.Outbox;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>What waits for one destination: fresh profiles before those that failed or are of an earlier start.</summary>
internal sealed class DestinationQueue
{
    private readonly LinkedList<OutboxEntry> _fresh = new();
    private readonly LinkedList<OutboxEntry> _backlog = new();
    private readonly Dictionary<long, LinkedListNode<OutboxEntry>> _nodes = [];

    public int Count => _nodes.Count;

    public long Bytes { get; private set; }

    public long Ticks { get; private set; }

    public void AddFresh(OutboxEntry entry) => Add(_fresh, entry);

    public void AddBacklog(OutboxEntry entry) => Add(_backlog, entry);

    /// <summary>Takes the next one to write; false when nothing waits.</summary>
    public bool TryTake(out OutboxEntry entry)
    {
        var node = _fresh.First ?? _backlog.First;
        entry = node?.Value!;
        return node is not null && TryRemove(node.Value.Id, out _);
    }

    public bool TryRemove(long id, out OutboxEntry entry)
    {
        if (!_nodes.Remove(id, out var node))
        {
            entry = null!;
            return false;
        }

        entry = node.Value;
        Bytes -= entry.Bytes;
        Ticks -= entry.Ticks;
        node.List!.Remove(node);
        return true;
    }

    private void Add(LinkedList<OutboxEntry> list, OutboxEntry entry)
    {
        if (_nodes.ContainsKey(entry.Id))
        {
            return;
        }

        _nodes.Add(entry.Id, list.AddLast(entry));
        Bytes += entry.Bytes;
        Ticks += entry.Ticks;
    }
}
