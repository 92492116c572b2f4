using ActorProfiler.Configuration.Components;
using ActorProfiler.Configuration.Decoding;

namespace ActorProfiler.Commands.Components;

/// <summary>Blocks of files written for other programs that change nothing here; each argument says so.</summary>
internal static class AcceptedComponents
{
    private const string CommandLine = "the command line says it: --log.format";
    private const string Listen = "the command line says it: --http.listen";

    public static readonly IComponentType Logging = new ComponentType<bool>(
        "logging", "Accepted for compatibility.", new BlockSchema<bool>(() => true).Ignored("level", "string", "all levels but debug are written").Ignored("format", "string", CommandLine)
            .Ignored("write_to", "list(receiver)", "the log goes to standard error"))
    {
        Most = 1,
    };

    public static readonly IComponentType Http = new ComponentType<bool>(
        "http", "Accepted for compatibility.", new BlockSchema<bool>(() => true).Block(
            "tls", new BlockSchema<bool>(() => true)
                .Ignored("cert_file", "string", Listen).Ignored("cert_pem", "string", Listen).Ignored("key_file", "string", Listen).Ignored("key_pem", "secret", Listen)
                .Ignored("client_ca_file", "string", Listen).Ignored("client_ca_pem", "string", Listen).Ignored("client_auth_type", "string", Listen),
            (options, _) => options,
            "Accepted: the page is served without TLS on loopback."))
    {
        Most = 1,
    };
}
