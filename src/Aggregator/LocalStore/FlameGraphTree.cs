using System.Runtime.InteropServices;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>A growing tree of call paths that never holds more than twice its node limit.</summary>
/// <remarks>
/// Nodes are numbered as they come, so a parent's number is below its children's. Past twice the limit the smallest are cut:
/// their time moves to an "(other)" child of the nearest ancestor that stays.
/// </remarks>
internal sealed class FlameGraphTree(int nodeLimit, int otherFrame)
{
    private readonly Dictionary<(int Parent, int Frame), int> _children = [];
    private readonly List<int> _parents = [-1];
    private readonly List<int> _frames = [0];
    private readonly List<long> _self = [0];

    public int Count => _parents.Count;

    /// <summary>Nodes cut so far.</summary>
    public long Cut { get; private set; }

    public IReadOnlyList<int> Parents => _parents;

    public IReadOnlyList<int> Frames => _frames;

    public IReadOnlyList<long> Self => _self;

    /// <summary>Adds time at the end of a path; node 0, the root, is not part of it.</summary>
    public void Add(ReadOnlySpan<int> path, long nanos)
    {
        var node = 0;
        foreach (var frame in path)
        {
            node = Child(node, frame);
        }

        _self[node] += nanos;
        if (Count > 2 * nodeLimit)
        {
            Prune();
        }
    }

    /// <summary>Cuts the smallest nodes when there are more than the limit.</summary>
    public void Prune()
    {
        if (Count <= nodeLimit)
        {
            return;
        }

        var totals = Totals();
        var order = Enumerable.Range(0, Count).ToArray();
        Array.Sort(order, (left, right) => totals[left] != totals[right] ? totals[right].CompareTo(totals[left]) : left.CompareTo(right));

        // Any prefix of this order holds the ancestors of all its nodes. Half the limit, because each may get an "(other)" child.
        var keep = new bool[Count];
        foreach (var node in order.AsSpan(0, Math.Max(1, nodeLimit / 2)))
        {
            keep[node] = true;
        }

        Rebuild(keep);
    }

    /// <summary>Time of each node with all below it.</summary>
    public long[] Totals()
    {
        var totals = _self.ToArray();
        for (var node = totals.Length - 1; node > 0; node--)
        {
            totals[_parents[node]] += totals[node];
        }

        return totals;
    }

    private int Child(int parent, int frame)
    {
        ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(_children, (parent, frame), out var exists);
        if (!exists)
        {
            node = Count;
            _parents.Add(parent);
            _frames.Add(frame);
            _self.Add(0);
        }

        return node;
    }

    private void Rebuild(bool[] keep)
    {
        var (parents, frames, self) = (_parents.ToArray(), _frames.ToArray(), _self.ToArray());
        _children.Clear();
        CollectionsMarshal.SetCount(_parents, 1);
        CollectionsMarshal.SetCount(_frames, 1);
        CollectionsMarshal.SetCount(_self, 1);
        var moved = new int[parents.Length];
        for (var node = 1; node < parents.Length; node++)
        {
            var parent = moved[parents[node]];
            var underOther = !keep[parents[node]];
            moved[node] = keep[node] ? Child(parent, frames[node]) : underOther ? parent : Child(parent, otherFrame);
            _self[moved[node]] += self[node];
            Cut += keep[node] || frames[node] == otherFrame ? 0 : 1;
        }
    }
}
