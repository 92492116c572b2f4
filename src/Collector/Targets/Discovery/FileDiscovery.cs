using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery;

/// <summary><c>discovery.file</c>: targets that other programs write to JSON and YAML files.</summary>
internal sealed record FileDiscovery : IDiscovery
{
    private const int BytesLimit = 64 << 20;
    private const string FilePath = "__meta_filepath";

    private static readonly string[] _endings = [".json", ".yml", ".yaml"];

    /// <summary>Changes that come together are read together.</summary>
    private static readonly TimeSpan _settle = TimeSpan.FromMilliseconds(200);

    public static readonly IComponentType Type = DiscoveryExports.Of(new ComponentType<FileDiscovery>(
        "discovery.file",
        "Reads targets from JSON and YAML files, again whenever they change.",
        new BlockSchema<FileDiscovery>(() => new(), LabelRule.Required)
            .Required("files", ArgumentTypes.List(ArgumentTypes.Parsed("string", Pattern, text => text)), (options, value) => options with { Files = value }, "Paths that end in `.json`, `.yml` or `.yaml`; the last part of a path may have one `*`.")
            .Optional("refresh_interval", DiscoveryExports.Interval, options => options.RefreshInterval, (options, value) => options with { RefreshInterval = value }, "How often files are read even when no change was heard of.")));

    public ImmutableArray<string> Files { get; init; } = [];

    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMinutes(5);

    public async IAsyncEnumerable<ImmutableArray<LabelSet>> FindAsync(TimeProvider clock, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        var watchers = Watch(() => changes.Writer.TryWrite(true));
        try
        {
            while (true)
            {
                yield return Read();
                await WaitAsync(changes.Reader, clock, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            watchers.ForEach(watcher => watcher.Dispose());
        }
    }

    /// <exception cref="FormatException">A file is wrong; the message names it.</exception>
    internal ImmutableArray<LabelSet> Read()
    {
        var found = ImmutableArray.CreateBuilder<LabelSet>();
        foreach (var path in Files.SelectMany(Matching).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            found.AddRange(Read(path).Select(target => target.With(FilePath, path)));
        }

        return found.ToImmutable();
    }

    private static ImmutableArray<LabelSet> Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > BytesLimit)
            {
                throw new FormatException($"it has more than {BytesLimit} bytes");
            }

            var text = File.ReadAllText(path);
            return path.EndsWith(".json", StringComparison.Ordinal) ? TargetGroups.ParseJson(text) : TargetGroups.ParseYaml(text);
        }
        catch (FormatException cause)
        {
            throw new FormatException($"{path}: {cause.Message}", cause);
        }
    }

    private static string Pattern(string text)
    {
        var name = Path.GetFileName(text);
        return !Array.Exists(_endings, ending => name.EndsWith(ending, StringComparison.Ordinal)) ? throw new FormatException("a file of targets ends in .json, .yml or .yaml")
            : name.Count(letter => letter == '*') <= 1 && !text[..^name.Length].Contains('*', StringComparison.Ordinal) ? text
            : throw new FormatException("only the last part of the path may have a *, and only one");
    }

    private static IEnumerable<string> Matching(string pattern)
    {
        var folder = Path.GetDirectoryName(pattern) is { Length: > 0 } named ? named : ".";
        var name = Path.GetFileName(pattern);
        if (!name.Contains('*', StringComparison.Ordinal))
        {
            return File.Exists(pattern) ? [pattern] : [];
        }

        return Directory.Exists(folder) ? Directory.GetFiles(folder, name).Select(path => Path.Combine(folder, Path.GetFileName(path))) : [];
    }

    private List<FileSystemWatcher> Watch(Action changed)
    {
        var watchers = new List<FileSystemWatcher>();
        foreach (var folder in Files.Select(file => Path.GetDirectoryName(Path.GetFullPath(file))!).Distinct(StringComparer.Ordinal).Where(Directory.Exists))
        {
            var watcher = new FileSystemWatcher(folder);
            watcher.Changed += (_, _) => changed();
            watcher.Created += (_, _) => changed();
            watcher.Deleted += (_, _) => changed();
            watcher.Renamed += (_, _) => changed();
            watcher.EnableRaisingEvents = true;
            watchers.Add(watcher);
        }

        return watchers;
    }

    private async Task WaitAsync(ChannelReader<bool> changes, TimeProvider clock, CancellationToken cancellation)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var timer = Task.Delay(RefreshInterval, clock, waiting.Token);
        await Task.WhenAny(changes.WaitToReadAsync(waiting.Token).AsTask(), timer).ConfigureAwait(false);
        await waiting.CancelAsync().ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        if (!timer.IsCompletedSuccessfully)
        {
            await Task.Delay(_settle, clock, cancellation).ConfigureAwait(false);
        }

        changes.TryRead(out _);
    }
}
