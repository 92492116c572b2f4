using System.Security.Cryptography;

namespace ActorProfiler.Security;

/// <summary>What a certificate may be used for. https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12</summary>
public static class KeyUses
{
    public static readonly Oid Server = new("1.3.6.1.5.5.7.3.1");

    public static readonly Oid Client = new("1.3.6.1.5.5.7.3.2");
}
