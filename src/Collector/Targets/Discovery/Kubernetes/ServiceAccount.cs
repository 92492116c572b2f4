using ActorProfiler.Http;

namespace ActorProfiler.Collector.Targets.Discovery.Kubernetes;

/// <summary>What Kubernetes gives a pod to talk to the API of its cluster.</summary>
/// <remarks>Token and authority are read again when they are needed: the kubelet exchanges both while the pod runs. https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/</remarks>
/// <param name="Folder">Holds <c>token</c>, <c>ca.crt</c> and <c>namespace</c>.</param>
/// <param name="Host">Address of the API; "" outside a cluster.</param>
internal sealed record ServiceAccount(string Folder, string Host, string Port)
{
    public static ServiceAccount OfPod => new(
        "/var/run/secrets/kubernetes.io/serviceaccount",
        Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST") ?? "",
        Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT") ?? "");

    /// <exception cref="FormatException">It is no address.</exception>
    public Uri Address => Uri.TryCreate($"https://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}", UriKind.Absolute, out var address)
        ? address
        : throw new FormatException($"KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT make no address: \"{Host}\" and \"{Port}\"");

    public HttpClientOptions Http => new()
    {
        BearerTokenFile = TokenFile,
        Tls = new TlsOptions { CaFile = Path.Combine(Folder, "ca.crt") },
    };

    private string TokenFile => Path.Combine(Folder, "token");

    /// <summary>Says why it cannot be used.</summary>
    /// <exception cref="FormatException">This is no pod, or one without a service account.</exception>
    public void Check()
    {
        if (Host.Length == 0 || Port.Length == 0)
        {
            throw new FormatException("this does not run in a cluster (KUBERNETES_SERVICE_HOST is not set): name a kubeconfig_file or an api_server");
        }

        if (Http.Files().FirstOrDefault(file => !File.Exists(file.Path)) is { Path: not null } missing)
        {
            throw new FormatException($"{missing.Path} is not there: give the pod a service account (automountServiceAccountToken), or name a kubeconfig_file or an api_server");
        }
    }

    /// <summary>The namespace of the pod.</summary>
    /// <exception cref="FormatException">Its file cannot be read or is empty.</exception>
    public string ReadNamespace()
    {
        var path = Path.Combine(Folder, "namespace");
        try
        {
            return File.ReadAllText(path).Trim() is { Length: > 0 } name ? name : throw new FormatException($"own_namespace: {path} is empty");
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"own_namespace: read {path}: {cause.Message}", cause);
        }
    }
}
