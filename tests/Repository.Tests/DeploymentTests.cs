using k8s;
using k8s.Models;

namespace ActorProfiler.Tests;

/// <summary>The files of <c>deploy/</c>: what an API server would refuse, and what must agree between them.</summary>
public class DeploymentTests
{
    private static readonly string _folder = Path.Combine(Repository.Root, "deploy");

    public static TheoryData<string> Manifests => [.. Directory.GetFiles(Path.Combine(_folder, "kubernetes"), "*.yaml").Select(file => Path.GetFileName(file))];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void A_manifest_has_only_fields_of_the_API_and_its_pods_name_only_what_is_there(string manifest)
    {
        var objects = Read(manifest);

        Assert.NotEmpty(objects);
        var pod = PodOf(objects);
        var container = Assert.Single(pod.Spec.Containers);
        var volumes = (pod.Spec.Volumes ?? []).Select(volume => volume.Name)
            .Concat(objects.OfType<V1StatefulSet>().SelectMany(set => set.Spec.VolumeClaimTemplates ?? []).Select(claim => claim.Metadata.Name));
        Assert.Equal(volumes.Order(StringComparer.Ordinal), container.VolumeMounts.Select(mount => mount.Name).Order(StringComparer.Ordinal));
        Assert.All([container.LivenessProbe, container.ReadinessProbe], probe => Assert.Contains(container.Ports, port => port.Name == probe.HttpGet.Port.Value));
        Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.Contains(container.Args[Index(container.Args, "--data-dir") + 1], container.VolumeMounts.Where(mount => mount.ReadOnlyProperty != true).Select(mount => mount.MountPath));
    }

    [Fact]
    public void Pods_and_services_of_the_collector_have_the_same_capabilities()
    {
        var unit = File.ReadLines(Path.Combine(_folder, "actorprofiler-collector.service")).Single(line => line.StartsWith("CapabilityBoundingSet=", StringComparison.Ordinal));
        var capabilities = PodOf(Read("collector.yaml")).Spec.Containers[0].SecurityContext.Capabilities;

        Assert.Equal(["ALL"], capabilities.Drop);
        Assert.Equal(unit.Split('=')[1].Split(' ').Order(StringComparer.Ordinal), capabilities.Add.Select(name => $"CAP_{name}").Order(StringComparer.Ordinal));
    }

    private static IList<object> Read(string manifest) => KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(_folder, "kubernetes", manifest)), strict: true);

    private static V1PodTemplateSpec PodOf(IList<object> objects) =>
        objects.OfType<V1DaemonSet>().Select(set => set.Spec.Template).Concat(objects.OfType<V1StatefulSet>().Select(set => set.Spec.Template)).Single();

    private static int Index(IList<string> words, string word) => words.IndexOf(word);
}
