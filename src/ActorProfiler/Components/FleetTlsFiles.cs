using ActorProfiler.Configuration.Decoding;

namespace ActorProfiler.Commands.Components;

/// <summary><c>cluster { tls { … } }</c>: PEM files of this node.</summary>
/// <param name="ServerName">What the certificates of aggregators are issued for, where addresses are discovered; "" is the name or address itself.</param>
internal sealed record FleetTlsFiles(string Ca, string Certificate, string Key, string ServerName)
{
    public static readonly BlockSchema<FleetTlsFiles> Schema = new BlockSchema<FleetTlsFiles>(() => new("", "", "", ""))
        .Required("ca_file", ArgumentTypes.Text, (options, value) => options with { Ca = value }, "The fleet's authority.")
        .Required("cert_file", ArgumentTypes.Text, (options, value) => options with { Certificate = value }, "This node's certificate. Files that change are read again for the next connection.")
        .Required("key_file", ArgumentTypes.Text, (options, value) => options with { Key = value }, "Its key.")
        .Optional("server_name", ArgumentTypes.Text, options => options.ServerName, (options, value) => options with { ServerName = value }, "Name in the certificates of aggregators, where their addresses are discovered and are not in them.");
}
