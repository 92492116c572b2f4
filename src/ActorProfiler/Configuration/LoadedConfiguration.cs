using System.Reflection;
using ActorProfiler.Commands.Components;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Evaluation.Functions;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Commands.Configuration;

/// <summary>A configuration file with its values and with what is to run by them. Immutable.</summary>
internal sealed record LoadedConfiguration(ComponentGraph Graph, ComponentValues Values, RunPlan Plan)
{
    /// <summary>Name of the configuration that is part of the program.</summary>
    public const string DefaultName = "default";

    private static readonly Func<string, string?> _environment = Environment.GetEnvironmentVariable;

    private static readonly Scope _library = StandardLibrary.Create(_environment, typeof(LoadedConfiguration).Assembly.GetName().Version!.ToString(3));

    /// <summary>Ids of the blocks that the cluster block uses, and of those that they use.</summary>
    public IReadOnlySet<string> OfCluster
    {
        get
        {
            var used = new HashSet<string>(StringComparer.Ordinal);
            var waiting = new Queue<string>(Graph.Nodes.Where(node => node.Type == ClusterComponent.Type).SelectMany(node => node.DependsOn));
            while (waiting.TryDequeue(out var id))
            {
                if (used.Add(id))
                {
                    Graph.Nodes.First(node => node.Id == id).DependsOn.ToList().ForEach(waiting.Enqueue);
                }
            }

            return used;
        }
    }

    /// <summary>Reads a file, or without a path the configuration that is part of the program.</summary>
    /// <exception cref="FormatException">It is too large or not UTF-8.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static SourceFile Read(string? path)
    {
        if (path is not null)
        {
            return SourceFile.FromBytes(path, File.ReadAllBytes(path));
        }

        using var text = Assembly.GetExecutingAssembly().GetManifestResourceStream("Default.alloy")!;
        using var reader = new StreamReader(text);
        return new SourceFile(DefaultName, reader.ReadToEnd());
    }

    /// <summary>Loads a file as a whole.</summary>
    /// <param name="last">Values before: blocks that are as they were keep theirs.</param>
    /// <param name="pushes">This process pushes to the destinations, so their secrets must be here.</param>
    /// <returns>Null when the file has errors.</returns>
    public static LoadedConfiguration? Load(SourceFile file, ComponentValues last, bool pushes, Diagnostics diagnostics)
    {
        var graph = ComponentGraph.Load(file, ComponentTypes.All, _library, diagnostics);
        foreach (var node in graph.Nodes)
        {
            EnvironmentChecks.Report(file, node.Block.Body, _environment, diagnostics);
        }

        var values = last.Load(graph, diagnostics);
        if (!diagnostics.HasErrors)
        {
            RouteChecks.Report(graph, values, diagnostics);
        }

        if (pushes)
        {
            DestinationChecks.Report(graph, values, diagnostics);
        }

        return diagnostics.HasErrors ? null : new LoadedConfiguration(graph, values, RunPlan.Of(values));
    }

    /// <summary>After a running component has found something else.</summary>
    public LoadedConfiguration Found(string id, Value found)
    {
        var values = Values.Found(Graph, id, found);
        return this with { Values = values, Plan = RunPlan.Of(values) };
    }
}
