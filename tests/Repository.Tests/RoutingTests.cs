using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Targets;
using ActorProfiler.Commands.Configuration;
using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Relabeling;
using ActorProfiler.Configuration.Syntax;
using ActorProfiler.Labels;

namespace ActorProfiler.Tests;

/// <summary>Which profiles reach which endpoint, by how the blocks are wired.</summary>
public class RoutingTests
{
    private const string Writes = """

        pyroscope.write "a" {
          endpoint {
            url = "http://a"
          }
        }
        pyroscope.write "b" {
          endpoint {
            url = "http://b"
          }
        }
        pyroscope.relabel "prod" {
          forward_to = [pyroscope.write.b.receiver]
          rule {
            source_labels = ["env"]
            regex         = "prod"
            action        = "keep"
          }
          rule {
            target_label = "via"
            replacement  = "relabel"
          }
        }
        """;

    [Fact]
    public void Rules_on_one_of_several_ways_change_only_what_goes_there()
    {
        var plan = Load("""
            pyroscope.ebpf "host" {
              forward_to = [pyroscope.write.a.receiver, pyroscope.relabel.prod.receiver]
              targets    = [{__process_pid__ = "1", env = "prod", service_name = "x"}, {__process_pid__ = "2", env = "test", service_name = "y"}]
            }
            """ + Writes);

        Assert.Equal(["http://a x env=prod", "http://a y env=test", "http://b x env=prod via=relabel"], Deliveries(plan, 1, 2));
    }

    [Fact]
    public void Profiles_reach_an_endpoint_once_for_each_way_with_its_own_rules()
    {
        var plan = Load("""
            pyroscope.ebpf "host" {
              forward_to = [pyroscope.write.b.receiver, pyroscope.relabel.prod.receiver, pyroscope.write.b.receiver]
              targets    = [{__process_pid__ = "1", env = "prod", service_name = "x"}]
            }
            """ + Writes);

        Assert.Equal(["http://b x env=prod", "http://b (pyroscope.write.b) x env=prod via=relabel"], Deliveries(plan, 1));
    }

    [Fact]
    public void Each_of_several_blocks_sends_its_targets_its_own_way()
    {
        var plan = Load("""
            pyroscope.ebpf "one" {
              forward_to = [pyroscope.write.a.receiver]
              targets    = [{__process_pid__ = "1", service_name = "x"}, {__process_pid__ = "2", service_name = "both"}]
            }
            pyroscope.ebpf "two" {
              forward_to             = [pyroscope.write.a.receiver, pyroscope.write.b.receiver]
              targets                = [{__process_pid__ = "3", service_name = "z"}, {__process_pid__ = "2", service_name = "both"}]
              sample_rate            = 19
              collect_interval       = "5s"
              collect_kernel_profile = false
              demangle               = "full"
              python_enabled         = false
            }
            """ + Writes);

        Assert.Equal(["http://a both", "http://a x", "http://a z", "http://b both", "http://b z"], Deliveries(plan, 1, 2, 3).Order(StringComparer.Ordinal));
        Assert.Equal((97, TimeSpan.FromSeconds(5), true), (plan.Ebpf!.SampleRate, plan.Ebpf.CollectInterval, plan.Ebpf.Sampling.CollectKernel));
        var table = new TargetTable();
        table.Replace(plan.Targets);
        Assert.Equal(new ProcessDecision(true, 1), table.Decide(Process(1)));
        Assert.Equal(new ProcessDecision(true, 1), table.Decide(Process(2)));
        Assert.Equal(new ProcessDecision(true, 5, ProcessFlags.NoKernel, Python: false), table.Decide(Process(3)));
        Assert.Equal("full", table.Match(Process(3))!.Options.Demangle);
    }

    [Fact]
    public void Blocks_that_send_everything_the_same_way_share_their_series()
    {
        var plan = Load("""
            pyroscope.ebpf "one" {
              forward_to = [pyroscope.write.a.receiver]
              targets    = [{__process_pid__ = "1", service_name = "x"}]
            }
            pyroscope.ebpf "two" {
              forward_to = [pyroscope.write.a.receiver]
              targets    = [{__process_pid__ = "1", service_name = "x"}]
            }
            """ + Writes);

        Assert.Equal(["http://a x"], Deliveries(plan, 1));
    }

    [Fact]
    public void A_rule_that_reads_what_is_merged_before_it_is_named_with_its_place()
    {
        var diagnostics = new Diagnostics();
        Load("""
            pyroscope.ebpf "host" {
              forward_to = [pyroscope.write.a.receiver, pyroscope.relabel.pid.receiver]
            }
            pyroscope.relabel "pid" {
              forward_to = [pyroscope.write.b.receiver]
              rule {
                source_labels = ["__process_pid__"]
                target_label  = "pid"
              }
            }
            """ + Writes, diagnostics);

        Assert.StartsWith("test.alloy:4:1: warning: __process_pid__ is empty here", Assert.Single(diagnostics.All).ToString(), StringComparison.Ordinal);
    }

    private static RunPlan Load(string text, Diagnostics? diagnostics = null)
    {
        diagnostics ??= new Diagnostics();
        var loaded = LoadedConfiguration.Load(new SourceFile("test.alloy", text), ComponentValues.None, pushes: true, diagnostics);
        Assert.True(loaded is not null, string.Join('\n', diagnostics.All));
        return loaded.Plan;
    }

    private static KnownProcess Process(int pid) => new(new Collector.Processes.ProcessIdentity(pid, 0, 0), "comm");

    /// <summary>What each destination gets of these processes, labels without the obvious ones.</summary>
    private static IEnumerable<string> Deliveries(RunPlan plan, params int[] pids)
    {
        var table = new TargetTable();
        table.Replace(plan.Targets);
        return
            from destination in plan.Destinations
            from pid in pids
            from target in Matched(table, pid)
            let labels = destination.Routes.Select(route => Relabeler.Apply(route, target.Labels)).FirstOrDefault(labels => labels is { Count: > 0 })
            where labels is not null
            let shown = labels.Where(name => name is not (LabelNames.Name or LabelNames.ServiceName or LabelNames.Origin))
            select $"{destination.Name} {labels[LabelNames.ServiceName]} {string.Join(' ', shown.Select(label => $"{label.Name}={label.Value}"))}".Trim();
    }

    private static List<Target> Matched(TargetTable table, int pid)
    {
        var found = new List<Target>();
        table.Match(Process(pid), found);
        return found;
    }
}
