using System.CommandLine;
using ActorProfiler.Security;

namespace ActorProfiler.Commands.Tls;

/// <summary><c>actorprofiler tls init</c>: the certificates of a fleet.</summary>
internal static class TlsCommand
{
    private static readonly Argument<string> _folder = new("DIR") { Description = "Where the files are written" };
    private static readonly Option<string[]> _hosts = new("--host") { Description = "Name or address of an aggregator; one option each. localhost is always among them" };
    private static readonly Option<int> _days = new("--days") { Description = "How long the certificates are valid", DefaultValueFactory = _ => 365 };

    public static Command Create()
    {
        var init = new Command("init", "Make an authority for this fleet, a certificate for its aggregators and one for its collectors.") { _folder, _hosts, _days };
        init.SetAction((parsed, _) => Failures.ReportAsync(() =>
            Task.FromResult(Init(parsed.GetValue(_folder)!, parsed.GetValue(_hosts) ?? [], parsed.GetValue(_days)))));
        return new Command("tls", "Certificates between collectors and aggregators.") { init };
    }

    private static int Init(string folder, IReadOnlyList<string> hosts, int days)
    {
        if (days is < 1 or > 3650 || hosts.FirstOrDefault(host => Uri.CheckHostName(host) == UriHostNameType.Unknown) is { })
        {
            Console.Error.WriteLine($"actorprofiler: --days {days} --host {string.Join(' ', hosts)}: expected 1 to 3650 days, and names or addresses of hosts");
            return ExitCode.Usage;
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var authority = new FleetAuthority(TimeProvider.System, TimeSpan.FromDays(days));
        var aggregator = authority.Issue("ActorProfiler aggregator", [.. hosts, "localhost", "127.0.0.1", "::1"]);
        var collector = authority.Issue("ActorProfiler collector", []);
        Write("ca.crt", authority.CertificatePem, isSecret: false);
        Write("ca.key", authority.KeyPem, isSecret: true);
        Write("aggregator.crt", aggregator.CertificatePem, isSecret: false);
        Write("aggregator.key", aggregator.KeyPem, isSecret: true);
        Write("collector.crt", collector.CertificatePem, isSecret: false);
        Write("collector.key", collector.KeyPem, isSecret: true);
        Console.WriteLine($"wrote {folder}/ca.crt and .key, aggregator.crt and .key, collector.crt and .key, valid for {days} days. "
            + "Every node needs ca.crt and its own pair; keep ca.key elsewhere.");
        return ExitCode.Ok;

        // Never over another authority: the fleet would fall apart.
        void Write(string name, string pem, bool isSecret)
        {
            using var file = new FileStream(Path.Combine(folder, name), new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | (isSecret ? 0 : UnixFileMode.GroupRead | UnixFileMode.OtherRead),
            });
            using var text = new StreamWriter(file);
            text.Write(pem + "\n");
        }
    }
}
