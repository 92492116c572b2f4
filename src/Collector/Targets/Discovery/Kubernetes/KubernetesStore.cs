using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace ActorProfiler.Collector.Targets.Discovery.Kubernetes;

/// <summary>The objects that watches know of at the moment. Thread-safe.</summary>
internal sealed class KubernetesStore
{
    private readonly ConcurrentDictionary<(KubernetesResource Resource, string Id), JsonNode> _objects = new();
    private readonly ConcurrentDictionary<KubernetesResource, bool> _listed = new();
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>By namespace and name.</summary>
    public IReadOnlyList<JsonNode> Of(string kind) =>
        [.. _objects.Where(pair => pair.Key.Resource.Kind == kind).OrderBy(pair => pair.Key.Id, StringComparer.Ordinal).Select(pair => pair.Value)];

    /// <summary>Takes a whole list over.</summary>
    public void Replace(KubernetesResource resource, IReadOnlyCollection<JsonNode> items)
    {
        var ids = items.Select(Id).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _objects.Keys.Where(key => key.Resource == resource && !ids.Contains(key.Id)).ToList())
        {
            _objects.TryRemove(gone, out _);
        }

        foreach (var item in items)
        {
            _objects[(resource, Id(item))] = item;
        }

        _listed[resource] = true;
        _changes.Writer.TryWrite(true);
    }

    public void Set(KubernetesResource resource, JsonNode item)
    {
        _objects[(resource, Id(item))] = item;
        _changes.Writer.TryWrite(true);
    }

    public void Remove(KubernetesResource resource, JsonNode item)
    {
        _objects.TryRemove((resource, Id(item)), out _);
        _changes.Writer.TryWrite(true);
    }

    /// <summary>Returns when every watch has its first list; throws what ends one of them.</summary>
    public async Task ListedAsync(IReadOnlyCollection<Task> watches, CancellationToken cancellation)
    {
        while (_listed.Count < watches.Count)
        {
            await ChangedAsync(watches, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Returns after a change; throws what ends a watch.</summary>
    public async Task ChangedAsync(IReadOnlyCollection<Task> watches, CancellationToken cancellation)
    {
        var first = await Task.WhenAny(watches.Append(_changes.Reader.WaitToReadAsync(cancellation).AsTask())).ConfigureAwait(false);
        await first.ConfigureAwait(false);
        _changes.Reader.TryRead(out _);
    }

    private static string Id(JsonNode item) => $"{JsonLabels.Text(item, "metadata", "namespace")}/{JsonLabels.Text(item, "metadata", "name")}";
}
