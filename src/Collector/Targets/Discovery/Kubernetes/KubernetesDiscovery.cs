using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Http;
using ActorProfiler.Labels;

namespace ActorProfiler.Collector.Targets.Discovery.Kubernetes;

/// <summary><c>discovery.kubernetes</c>: what a cluster's API knows of pods, nodes, services, endpoints or ingresses.</summary>
/// <remarks>
/// On a host whose node name is known (environment variable NODE_NAME, K8S_NODE_NAME or KUBERNETES_NODE_NAME), pods are asked for by
/// that node alone unless a selector says otherwise: a watch of the whole cluster from each of its hosts is what API servers die of.
/// </remarks>
internal sealed record KubernetesDiscovery : IDiscovery
{
    /// <summary>Events that come together are told together.</summary>
    private static readonly TimeSpan _settle = TimeSpan.FromSeconds(1);

    private static readonly string[] _roles = ["node", "pod", "service", "endpoints", "endpointslice", "ingress"];

    private static readonly string[] _nodeVariables = ["NODE_NAME", "K8S_NODE_NAME", "KUBERNETES_NODE_NAME"];

    public static readonly IComponentType Type = DiscoveryExports.Of(new ComponentType<KubernetesDiscovery>(
        "discovery.kubernetes",
        "Finds pods, nodes, services, endpoints or ingresses of a Kubernetes cluster. Pods are asked for by this node alone when NODE_NAME is set and no `selectors` block is there for them.",
        HttpClientSchema.AddTo(
            new BlockSchema<KubernetesDiscovery>(() => new(), LabelRule.Required)
                .Required("role", ArgumentTypes.OneOf(_roles), (options, value) => options with { Role = value }, "What is found. Only pods name containers.")
                .Optional("api_server", ArgumentTypes.Parsed("string", HttpClientSchema.Url, text => text), _ => null, (options, value) => options with { ApiServer = value }, "URL of the API; without it and `kubeconfig_file` that of the cluster this runs in.")
                .Optional("kubeconfig_file", ArgumentTypes.Text, options => options.KubeconfigFile, (options, value) => options with { KubeconfigFile = value }, "A kubeconfig, whose current context is used.")
                .Block("namespaces", NamespaceOptions.Schema, (options, value) => options with { Namespaces = value }, "Which namespaces are asked for; by default all.")
                .Blocks("selectors", SelectorOptions.Schema, (options, value) => options with { Selectors = [.. value] }, "Which objects are asked for.")
                .Block("attach_metadata", AttachOptions.Schema, (options, value) => options with { Attach = value }, "What is added to pods, endpoints and services."),
            options => options.Http,
            (options, http) => options with { Http = http })
        .Check(Check)));

    public string Role { get; init; } = "";

    public string ApiServer { get; init; } = "";

    public string KubeconfigFile { get; init; } = "";

    public NamespaceOptions Namespaces { get; init; } = new();

    public ImmutableArray<SelectorOptions> Selectors { get; init; } = [];

    public AttachOptions Attach { get; init; } = new();

    public HttpClientOptions Http { get; init; } = new();

    /// <summary>Name of the node this runs on; "" when it is not known.</summary>
    public string NodeName { get; init; } = _nodeVariables.Select(Environment.GetEnvironmentVariable).FirstOrDefault(name => !string.IsNullOrEmpty(name)) ?? "";

    /// <summary>How the API is reached from within the cluster.</summary>
    public ServiceAccount Account { get; init; } = ServiceAccount.OfPod;

    public string Remark => AsksForOwnNode("pod") ? $"asks for the pods of node {NodeName} only; a selectors block for pods changes that" : "";

    public async IAsyncEnumerable<ImmutableArray<LabelSet>> FindAsync(TimeProvider clock, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var api = KubernetesApi.Open(this, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var store = new KubernetesStore();
        var watches = Resources().Select(resource => api.WatchAsync(resource, store, ending.Token)).ToList();
        try
        {
            await store.ListedAsync(watches, cancellation).ConfigureAwait(false);
            while (true)
            {
                yield return KubernetesTargets.Of(Role, store, Attach);
                await store.ChangedAsync(watches, cancellation).ConfigureAwait(false);
                await Task.Delay(_settle, clock, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>What has to be watched for the role: its own objects in each namespace, and those they are joined with.</summary>
    internal IReadOnlyList<KubernetesResource> Resources()
    {
        string[] kinds = Role switch
        {
            "pod" => ["pod", .. Attach.Node ? ["node"] : Array.Empty<string>()],
            "endpoints" => ["endpoints", "service", "pod", .. Attach.Node ? ["node"] : Array.Empty<string>()],
            "endpointslice" => ["endpointslice", "service", "pod", .. Attach.Node ? ["node"] : Array.Empty<string>()],
            _ => [Role],
        };
        ImmutableArray<string> namespaces = Namespaces.Own ? [.. Namespaces.Names.Append(Account.ReadNamespace()).Distinct()] : Namespaces.Names;
        return
        [
            .. kinds.SelectMany(kind => kind == "node" || namespaces.IsEmpty ? [KubernetesResource.Of(kind, "", SelectorOf(kind))] : namespaces.Select(name => KubernetesResource.Of(kind, name, SelectorOf(kind)))),
            .. Attach.Namespace ? [KubernetesResource.Of("namespace", "", new SelectorOptions())] : Array.Empty<KubernetesResource>(),
        ];
    }

    private bool AsksForOwnNode(string kind) => kind == "pod" && Role == "pod" && NodeName.Length > 0 && !Selectors.Any(selector => selector.Role == "pod");

    private SelectorOptions SelectorOf(string kind) =>
        Selectors.FirstOrDefault(selector => selector.Role == kind)
        ?? (AsksForOwnNode(kind) ? new SelectorOptions { Role = kind, Field = $"spec.nodeName={NodeName}" } : new SelectorOptions());

    private static string[] SelectorsOf(string role) => role switch
    {
        "pod" => ["pod", "node"],
        "endpoints" or "endpointslice" => ["pod", "service", role],
        _ => [role],
    };

    private static void Check(KubernetesDiscovery options)
    {
        if (options.KubeconfigFile.Length > 0 && options.ApiServer.Length > 0)
        {
            throw new FormatException("cannot use \"kubeconfig_file\" and \"api_server\" simultaneously");
        }

        if (options.Namespaces.Own && options.KubeconfigFile.Length + options.ApiServer.Length > 0)
        {
            throw new FormatException($"cannot use \"{(options.ApiServer.Length > 0 ? "api_server" : "kubeconfig_file")}\" and \"namespaces.own_namespace\" simultaneously");
        }

        if (options.Selectors.GroupBy(selector => selector.Role).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new FormatException($"duplicated selector role: {twice.Key}");
        }

        if (options.Selectors.FirstOrDefault(selector => Array.IndexOf(SelectorsOf(options.Role), selector.Role) < 0) is { } other)
        {
            throw new FormatException($"{options.Role} role supports only {string.Join(", ", SelectorsOf(options.Role))} selectors, got one for {other.Role}");
        }
    }

    internal sealed record NamespaceOptions
    {
        public static readonly BlockSchema<NamespaceOptions> Schema = new BlockSchema<NamespaceOptions>(() => new())
            .Optional("own_namespace", ArgumentTypes.Bool, options => options.Own, (options, value) => options with { Own = value }, "The namespace this runs in.")
            .Optional("names", ArgumentTypes.List(ArgumentTypes.Text), options => options.Names, (options, value) => options with { Names = value }, "These.");

        public bool Own { get; init; }

        public ImmutableArray<string> Names { get; init; } = [];
    }

    internal sealed record SelectorOptions
    {
        public static readonly BlockSchema<SelectorOptions> Schema = new BlockSchema<SelectorOptions>(() => new())
            .Required("role", ArgumentTypes.OneOf(_roles), (options, value) => options with { Role = value }, "Objects it is for.")
            .Optional("label", ArgumentTypes.Text, options => options.Label, (options, value) => options with { Label = value }, "A label selector.")
            .Optional("field", ArgumentTypes.Text, options => options.Field, (options, value) => options with { Field = value }, "A field selector, such as `spec.nodeName=n1`.");

        public string Role { get; init; } = "";

        public string Label { get; init; } = "";

        public string Field { get; init; } = "";
    }

    internal sealed record AttachOptions
    {
        public static readonly BlockSchema<AttachOptions> Schema = new BlockSchema<AttachOptions>(() => new())
            .Optional("node", ArgumentTypes.Bool, options => options.Node, (options, value) => options with { Node = value }, "Name, labels and annotations of the node.")
            .Optional("namespace", ArgumentTypes.Bool, options => options.Namespace, (options, value) => options with { Namespace = value }, "Labels and annotations of the namespace.");

        public bool Node { get; init; }

        public bool Namespace { get; init; }
    }
}
