using ActorProfiler.Security;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace ActorProfiler.Commands.Run;

/// <summary>Mutual TLS where nodes of a fleet meet: both ends show a certificate of the fleet's authority.</summary>
internal static class FleetTls
{
    /// <summary>Where collectors connect. Certificates that change on disk are used from the next connection on.</summary>
    /// <param name="tls">Null: plaintext.</param>
    public static void Secure(ListenOptions listen, TlsFiles? tls)
    {
        listen.Protocols = HttpProtocols.Http2;
        if (tls is not null)
        {
            listen.UseHttps(https =>
            {
                https.ServerCertificateSelector = (_, _) => tls.Certificate;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.ClientCertificateValidation = (certificate, _, _) => tls.IsOfFleet(certificate, KeyUses.Client);
            });
        }
    }
}
