using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;

namespace ActorProfiler.Commands.Components;

/// <summary>Blocks of files written for other programs that change nothing here; each argument says so.</summary>
internal static class AcceptedComponents
{
    private const string CommandLine = "the command line says it: --log.format";
    private const string Listen = "the command line says it: --http.listen";

    public static readonly IComponentType Logging = new ComponentType<bool>(
        "logging", "Accepted for compatibility.", new BlockSchema<bool>(() => true).Ignored("level", ArgumentTypes.Text, "all levels but debug are written").Ignored("format", ArgumentTypes.Text, CommandLine)
            .Ignored("write_to", ArgumentTypes.List(ArgumentTypes.Capsule<object>("LogsReceiver")), "the log goes to standard error"))
    {
        Most = 1,
    };

    public static readonly IComponentType Http = new ComponentType<bool>(
        "http", "Accepted for compatibility.", new BlockSchema<bool>(() => true).Block(
            "tls", new BlockSchema<bool>(() => true)
                .Ignored("cert_file", ArgumentTypes.Text, Listen).Ignored("cert_pem", ArgumentTypes.Text, Listen).Ignored("key_file", ArgumentTypes.Text, Listen).Ignored("key_pem", ArgumentTypes.Secret, Listen)
                .Ignored("client_ca_file", ArgumentTypes.Text, Listen).Ignored("client_ca_pem", ArgumentTypes.Text, Listen).Ignored("client_auth_type", ArgumentTypes.Text, Listen),
            (options, _) => options,
            "Accepted: the page is served without TLS on loopback."))
    {
        Most = 1,
    };
}
