using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Targets;
using ActorProfiler.Labels;

namespace ActorProfiler.Tests.Targets;

public class TargetTests
{
    private static readonly string _id = new('a', 64);

    [Fact]
    public void Is_for_the_process_when_both_are_named()
    {
        var target = Target.From(LabelSet.Of(("__process_pid__", "12"), ("__container_id__", _id)))!;

        Assert.Equal((12, ""), (target.Pid, target.ContainerId));
    }

    [Theory]
    [InlineData("__container_id__", "")]
    [InlineData("__meta_docker_container_id", "")]
    [InlineData("__meta_dockerswarm_task_container_id", "")]
    [InlineData("__meta_kubernetes_pod_container_id", "containerd://")]
    [InlineData("__meta_kubernetes_pod_container_id", "cri-o://")]
    [InlineData("__meta_kubernetes_pod_container_id", "docker://")]
    public void Takes_the_container_from_any_discovery(string label, string prefix) =>
        Assert.Equal(_id, Target.From(LabelSet.Of((label, prefix + _id)))!.ContainerId);

    [Theory]
    [InlineData("__process_pid__", "0")]
    [InlineData("__process_pid__", "-4")]
    [InlineData("__process_pid__", "99999999999")]
    [InlineData("__meta_kubernetes_pod_container_id", "rkt://x")]
    [InlineData("job", "web")]
    public void Is_none_without_process_and_container(string label, string value) => Assert.Null(Target.From(LabelSet.Of((label, value))));

    [Fact]
    public void Keeps_the_labels_that_are_not_private()
    {
        var target = Target.From(LabelSet.Of(("__process_pid__", "12"), ("__meta_x", "y"), ("env", "prod"), ("service_name", "web")))!;

        Assert.Equal(
            LabelSet.Of(("__name__", "process_cpu"), ("__process_pid__", "12"), ("env", "prod"), ("service_name", "web")), target.Labels);
    }

    [Theory]
    [InlineData("web", "service_name=web;__meta_docker_container_name=/other")]
    [InlineData("annotated", "__meta_kubernetes_pod_annotation_pyroscope_io_service_name=annotated;__meta_kubernetes_namespace=n;__meta_kubernetes_pod_container_name=c")]
    [InlineData("ebpf/n/c", "__meta_kubernetes_namespace=n;__meta_kubernetes_pod_container_name=c;__meta_docker_container_name=/x")]
    [InlineData("/web", "__meta_docker_container_name=/web;__meta_dockerswarm_service_name=s")]
    [InlineData("l", "__meta_dockerswarm_container_label_service_name=l;__meta_dockerswarm_service_name=s")]
    [InlineData("s", "__meta_dockerswarm_service_name=s")]
    [InlineData("unspecified", "__meta_kubernetes_namespace=n")]
    public void Infers_the_service_name_in_order(string expected, string labels) =>
        Assert.Equal(expected, ServiceName.Infer(LabelSet.From(labels.Split(';').Select(pair => new LabelPair(pair.Split('=')[0], pair.Split('=')[1])))));

    [Fact]
    public void Matches_by_pid_and_falls_back_to_the_name_of_the_program()
    {
        var me = new KnownProcess(new ProcessIdentity(Environment.ProcessId, 0, 0), "comm");
        var table = new TargetTable();
        table.Replace(TargetList.Empty with { ProfilesUnmatched = true });
        Assert.Equal(Path.GetFileName(Environment.ProcessPath), table.Match(me)!.ServiceName);

        table.Replace(TargetList.Empty with { Targets = [LabelSet.Of(("__process_pid__", $"{Environment.ProcessId}"), ("service_name", "me"))] });
        Assert.Equal("me", table.Match(me)!.ServiceName);
    }

    [Fact]
    public void Of_two_targets_for_one_process_takes_the_same_one_in_any_order()
    {
        var me = new KnownProcess(new ProcessIdentity(7, 0, 0), "comm");
        var a = LabelSet.Of(("__process_pid__", "7"), ("service_name", "a"));
        var b = LabelSet.Of(("__process_pid__", "7"), ("service_name", "b"));
        var table = new TargetTable();

        table.Replace(TargetList.Empty with { Targets = [b, a] });
        var first = table.Match(me);
        table.Replace(TargetList.Empty with { Targets = [a, b] });

        Assert.NotNull(first);
        Assert.Equal(first, table.Match(me));
    }

    [Fact]
    public void Ignores_what_no_target_names() =>
        Assert.Equal(ProcessDecision.Ignored, new TargetTable().Decide(new KnownProcess(new ProcessIdentity(1, 0, 0), "init")));

    [Theory]
    [InlineData("collect_kernel", "false", 1, ProcessFlags.NoKernel, null)]
    [InlineData("collect_kernel", "true", 1, ProcessFlags.Kernel, null)]
    [InlineData("python_enabled", "true", 1, ProcessFlags.None, true)]
    [InlineData("python_enabled", "no", 1, ProcessFlags.None, false)]
    [InlineData("sample_rate", "19.4", 5, ProcessFlags.None, null)]
    [InlineData("sample_rate", "500", 1, ProcessFlags.None, null)]
    [InlineData("sample_rate", "x", 1, ProcessFlags.None, null)]
    internal void Takes_the_options_of_a_target_from_its_labels(string option, string value, uint keepOneIn, ProcessFlags flags, bool? python)
    {
        var table = new TargetTable();
        table.Replace(TargetList.Empty with { Targets = [LabelSet.Of(("__process_pid__", "7"), ($"__meta_pyroscope_ebpf_options_{option}", value))] });

        Assert.Equal(new ProcessDecision(IsProfiled: true, keepOneIn, flags, python), table.Decide(new KnownProcess(new ProcessIdentity(7, 0, 0), "comm")));
    }

    [Theory]
    [InlineData("demangle", "full", null)]
    [InlineData("demangle", "some", "should be one of none, simplified, templates, full, got \"some\"")]
    [InlineData("sample_rate", "-1", "should be a number of Hz above 0")]
    [InlineData("python_enabled", "yes", "which counts as false")]
    [InlineData("go_table_fallback", "false", null)]
    [InlineData("go_table_fallback", "no", "which counts as false")]
    [InlineData("python_full_file_path", "true", "has no effect: profiles always have the whole path")]
    [InlineData("colect_kernel", "true", "there is no option __meta_pyroscope_ebpf_options_colect_kernel; did you mean \"collect_kernel\"?")]
    public void Says_which_option_of_a_target_has_no_effect(string option, string value, string? expected)
    {
        var problems = TargetOptions.Problems(LabelSet.Of(($"__meta_pyroscope_ebpf_options_{option}", value)));

        Assert.Equal(expected is null ? [] : [expected], problems.Select(problem => problem.Contains(expected ?? "nothing", StringComparison.Ordinal) ? expected : problem));
    }

    [Fact]
    public void Puts_processes_of_one_service_into_one_series_of_its_tenant()
    {
        var table = new TargetTable();
        table.Replace(TargetList.Empty with
        {
            Targets = [.. new[] { "7", "8" }.Select(pid => LabelSet.Of(("__process_pid__", pid), ("service_name", "web"), ("__meta_pyroscope_ebpf_options_tenant", "blue")))],
        });

        var series = new[] { 7, 8 }.Select(pid => table.Match(new KnownProcess(new ProcessIdentity(pid, 0, 0), "comm"))!.Labels).Distinct();

        Assert.Equal([LabelSet.Of(("__name__", "process_cpu"), ("__tenant__", "blue"), ("service_name", "web"))], series);
    }
}
