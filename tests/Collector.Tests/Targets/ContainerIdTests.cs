using ActorProfiler.Collector.Targets;

namespace ActorProfiler.Tests.Targets;

public class ContainerIdTests
{
    private const string A = "656959d9ee87a0b131c601ce9d9f8f76b1dda60e8608c503b5979d849cbdc714";
    private const string B = "0b9d0ea5a3c8b4d0c1d2e3f405162738495a6b7c8d9e0f1a2b3c4d5e6f708192";

    [Theory]
    [InlineData("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + A + ".scope")]
    [InlineData("0::/kubepods.slice/kubepods-burstable.slice/crio-" + A + ".scope/container")]
    [InlineData("0::/system.slice/docker-" + A + ".scope/init")]
    [InlineData("0::/docker/" + A)]
    [InlineData("0::/../../kubepods-besteffort-pod1.slice/cri-containerd-" + A + ".scope")]
    [InlineData("11:memory:/kubepods/besteffort/pod85adbef3/" + A)]
    [InlineData("11:cpu,cpuacct:/kubepods-pod1.slice:cri-containerd:" + A)]
    [InlineData("0::/machine.slice/libpod-" + A + ".scope/container")]
    [InlineData("0::/docker/" + B + "/kubelet.slice/cri-containerd-" + A + ".scope")]
    [InlineData("0::/kubepods/pod1/" + A + "/app.slice/foo.service")]
    [InlineData("12:cpuset:/\n0::/docker/" + A)]
    public void Finds_the_innermost_container(string cgroups) => Assert.Equal(A, ContainerId.Find(cgroups));

    [Fact]
    public void Finds_the_short_form_of_ecs() =>
        Assert.Equal("0123456789abcdef0123456789abcdef-1234", ContainerId.Find("1:name=systemd:/ecs/task/0123456789abcdef0123456789abcdef-1234"));

    [Theory]
    [InlineData("")]
    [InlineData("0::/")]
    [InlineData("0::/system.slice/nginx.service")]
    [InlineData("0::/machine.slice/libpod-conmon-" + A + ".scope")]
    [InlineData("0::/docker/" + A + "0")]
    [InlineData("no colons " + A)]
    public void Finds_none_outside_containers(string cgroups) => Assert.Equal("", ContainerId.Find(cgroups));

    [Theory]
    [InlineData("0::/system.slice/nginx.service", "nginx")]
    [InlineData("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-editor.service", "app-editor")]
    [InlineData("0::/user.slice/user-1000.slice/user@1000.service/app.slice/run.scope", "")]
    [InlineData("0::/user.slice/user-1000.slice/session-3.scope", "")]
    public void Finds_the_unit(string cgroups, string unit) => Assert.Equal(unit, SystemdUnit.Find(cgroups));
}
