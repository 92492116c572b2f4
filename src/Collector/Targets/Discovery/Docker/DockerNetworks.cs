namespace ActorProfiler.Collector.Targets.Discovery.Docker;

/// <summary>The networks of a Docker daemon.</summary>
internal static class DockerNetworks
{
    /// <summary>The labels of each network, by its id.</summary>
    /// <param name="prefix">Such as <c>__meta_docker_network_</c>.</param>
    public static async Task<Dictionary<string, Dictionary<string, string>>> LabelsAsync(DockerApi api, string prefix, CancellationToken cancellation)
    {
        var networks = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        foreach (var network in await api.ListAsync("networks", DockerFilter.None, cancellation).ConfigureAwait(false))
        {
            var labels = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                [prefix + "id"] = JsonLabels.Text(network, "Id"),
                [prefix + "name"] = JsonLabels.Text(network, "Name"),
                [prefix + "scope"] = JsonLabels.Text(network, "Scope"),
                [prefix + "internal"] = JsonLabels.Text(network, "Internal"),
                [prefix + "ingress"] = JsonLabels.Text(network, "Ingress"),
            };
            JsonLabels.AddAll(labels, prefix + "label_", network["Labels"]);
            networks[JsonLabels.Text(network, "Id")] = labels;
        }

        return networks;
    }
}
