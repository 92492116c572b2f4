using System.CommandLine;
using System.Security.Cryptography;
using ActorProfiler.Security;

namespace ActorProfiler.Commands.Tls;

/// <summary><c>actorprofiler tls init</c>: the certificates of a fleet.</summary>
internal static class TlsCommand
{
    private static readonly Argument<string> _folder = new("DIR") { Description = "Where the files are written" };
    private static readonly Option<string[]> _hosts = new("--host") { Description = "Name or address of an aggregator; one option each. localhost is always among them" };
    private static readonly Argument<string> _name = new("NAME") { Description = "Of the collector's host" };
    private static readonly Option<int> _days = new("--days") { Description = "How long the certificates are valid", DefaultValueFactory = _ => 365 };

    public static Command Create()
    {
        var init = new Command("init", "Make an authority for this fleet, a certificate for its aggregators and one for its collectors.") { _folder, _hosts, _days };
        init.SetAction((parsed, _) => Failures.ReportAsync(() =>
            Task.FromResult(Init(parsed.GetValue(_folder)!, parsed.GetValue(_hosts) ?? [], parsed.GetValue(_days)))));
        var collector = new Command("collector", "Make a certificate for one collector, with the authority in DIR: its identity is then its own.") { _folder, _name, _days };
        collector.SetAction((parsed, _) => Failures.ReportAsync(() =>
            Task.FromResult(AddCollector(parsed.GetValue(_folder)!, parsed.GetValue(_name)!, parsed.GetValue(_days)))));
        return new Command("tls", "Certificates between collectors and aggregators.") { init, collector };
    }

    private static int AddCollector(string folder, string name, int days)
    {
        if (days is < 1 or > 3650 || Uri.CheckHostName(name) == UriHostNameType.Unknown)
        {
            Console.Error.WriteLine($"actorprofiler: --days {days} {name}: expected 1 to 3650 days, and the name of a host");
            return ExitCode.Usage;
        }

        using var authority = Open(folder, days);
        var (certificate, key) = authority.Issue(name, []);
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Write(path, "ca.crt", authority.CertificatePem, isSecret: false);
        Write(path, "collector.crt", certificate, isSecret: false);
        Write(path, "collector.key", key, isSecret: true);
        Console.WriteLine($"wrote {path}/ca.crt, collector.crt and .key: the --tls.dir of that host");
        return ExitCode.Ok;
    }

    private static FleetAuthority Open(string folder, int days)
    {
        var (certificate, key) = (Path.Combine(folder, "ca.crt"), Path.Combine(folder, "ca.key"));
        try
        {
            return FleetAuthority.Open(File.ReadAllText(certificate), File.ReadAllText(key), TimeProvider.System, TimeSpan.FromDays(days));
        }
        catch (Exception cause) when (cause is CryptographicException or ArgumentException)
        {
            throw new FormatException($"read {certificate} with {key}: {cause.Message}; 'actorprofiler tls init' makes them", cause);
        }
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
        Write(folder, "ca.crt", authority.CertificatePem, isSecret: false);
        Write(folder, "ca.key", authority.KeyPem, isSecret: true);
        Write(folder, "aggregator.crt", aggregator.CertificatePem, isSecret: false);
        Write(folder, "aggregator.key", aggregator.KeyPem, isSecret: true);
        Write(folder, "collector.crt", collector.CertificatePem, isSecret: false);
        Write(folder, "collector.key", collector.KeyPem, isSecret: true);
        Console.WriteLine($"wrote {folder}/ca.crt and .key, aggregator.crt and .key, collector.crt and .key, valid for {days} days. "
            + "Every node needs ca.crt and its own pair; keep ca.key elsewhere.");
        return ExitCode.Ok;
    }

    // Never over another authority: the fleet would fall apart.
    private static void Write(string folder, string name, string pem, bool isSecret)
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
