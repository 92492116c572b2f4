using System.Runtime.InteropServices;
using ActorProfiler.Pprof;

namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>Merges profiles by function into one flame graph of at most a given number of nodes.</summary>
internal sealed class FlameGraphBuilder
{
    /// <summary>What the page draws without effort.</summary>
    public const int DefaultNodeLimit = 100_000;

    private const int Root = 0;
    private const int Other = 1;

    private readonly Dictionary<FlameFrame, int> _frameIndex = [];
    private readonly List<FlameFrame> _frames = [];
    private readonly FlameGraphTree _tree;
    private readonly List<int> _path = [];

    public FlameGraphBuilder(int nodeLimit = DefaultNodeLimit)
    {
        _tree = new FlameGraphTree(nodeLimit, Other);
        Intern(new FlameFrame("all", "", "", FrameKind.Sum));
        Intern(new FlameFrame("(other)", "", "", FrameKind.Sum));
    }

    /// <exception cref="FormatException">The profile contradicts itself; nothing of it was added.</exception>
    public void Add(Profile profile)
    {
        var cpu = CpuValue.Of(profile);
        var framesOf = LocationFrames(profile);
        foreach (var sample in profile.Sample)
        {
            Check(sample, framesOf, cpu);
        }

        foreach (var sample in profile.Sample)
        {
            _path.Clear();
            for (var i = sample.LocationId.Count - 1; i >= 0; i--)
            {
                _path.AddRange(framesOf[sample.LocationId[i]]);
            }

            _tree.Add(CollectionsMarshal.AsSpan(_path), cpu.In(sample));
        }
    }

    /// <summary>What has been merged, siblings by name, with only the frames that are left.</summary>
    public FlameGraph Build(int profiles, int series, int unreadable, TimeRange covered)
    {
        _tree.Prune();
        var order = Preorder();
        var newIndex = new int[order.Length];
        var used = new Dictionary<int, int>();
        var frames = new List<FlameFrame>();
        var (parents, nodeFrames, self) = (new int[order.Length], new int[order.Length], new long[order.Length]);
        for (var i = 0; i < order.Length; i++)
        {
            var node = order[i];
            newIndex[node] = i;
            parents[i] = node == Root ? -1 : newIndex[_tree.Parents[node]];
            self[i] = _tree.Self[node];
            ref var frame = ref CollectionsMarshal.GetValueRefOrAddDefault(used, _tree.Frames[node], out var known);
            if (!known)
            {
                frame = frames.Count;
                frames.Add(_frames[_tree.Frames[node]]);
            }

            nodeFrames[i] = frame;
        }

        var cut = Enumerable.Range(0, _tree.Count).Where(node => _tree.Frames[node] == Other).Sum(node => _tree.Self[node]);
        return new FlameGraph(frames, parents, nodeFrames, self, self.Sum(), profiles, series, unreadable,
            covered.FromNanos, covered.UntilNanos, _tree.Cut, cut);
    }

    private static void Check(Sample sample, Dictionary<ulong, int[]> framesOf, CpuValue cpu)
    {
        cpu.In(sample);
        foreach (var location in sample.LocationId)
        {
            if (!framesOf.ContainsKey(location))
            {
                throw new FormatException($"a sample names location {location}, which the profile does not have");
            }
        }
    }

    /// <summary>The frames of each location, outermost first.</summary>
    private Dictionary<ulong, int[]> LocationFrames(Profile profile)
    {
        var modules = profile.Mapping.ToDictionary(mapping => mapping.Id, mapping => profile.TextAt(mapping.Filename));
        var functions = profile.Function.ToDictionary(function => function.Id);
        var framesOf = new Dictionary<ulong, int[]>(profile.Location.Count);
        foreach (var location in profile.Location)
        {
            var module = modules.GetValueOrDefault(location.MappingId, "");
            framesOf[location.Id] = location.Line.Count == 0
                ? [Intern(Unnamed(location, module))]
                : [.. location.Line.Reverse().Select(line => Intern(Named(line, module)))];
        }

        return framesOf;

        FlameFrame Named(Line line, string module)
        {
            var function = functions.GetValueOrDefault(line.FunctionId)
                ?? throw new FormatException($"a line names function {line.FunctionId}, which the profile does not have");
            var (name, file) = (profile.TextAt(function.Name), profile.TextAt(function.Filename));
            return new FlameFrame(name, module, file, FrameKind.Of(name, module, file));
        }
    }

    private static FlameFrame Unnamed(Location location, string module) =>
        new($"{Path.GetFileName(module)}+0x{location.Address:x}", module, "", FrameKind.Unknown);

    private int Intern(FlameFrame frame)
    {
        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(_frameIndex, frame, out var known);
        if (!known)
        {
            index = _frames.Count;
            _frames.Add(frame);
        }

        return index;
    }

    private int[] Preorder()
    {
        var children = Enumerable.Range(1, _tree.Count - 1).ToLookup(node => _tree.Parents[node]);
        var order = new List<int>(_tree.Count);
        var open = new Stack<int>([Root]);
        while (open.TryPop(out var node))
        {
            order.Add(node);
            foreach (var child in children[node].OrderByDescending(child => _frames[_tree.Frames[child]].Name, StringComparer.Ordinal))
            {
                open.Push(child);
            }
        }

        return [.. order];
    }
}
