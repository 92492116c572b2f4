using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace ActorProfiler.Aggregator.Aggregation;

/// <summary>
/// Stands where Akka has a serializer that makes objects of types a peer names: whoever sends such a message is refused, and nothing is made.
/// </summary>
/// <param name="identifier">Number of the serializer on the wire; akka.actor.serialization-identifiers of Akka's and Akka.Remote's reference.conf.</param>
internal abstract class RejectingSerializer(ExtendedActorSystem system, int identifier) : Serializer(system)
{
    public override int Identifier => identifier;

    public override bool IncludeManifest => true;

    public override byte[] ToBinary(object obj) => throw new SerializationException($"{obj.GetType()} has no serializer and does not leave this process");

    public override object FromBinary(byte[] bytes, Type type) =>
        throw new SerializationException($"a peer sent a message of serializer {identifier} ({bytes.Length} bytes); it is not read");
}

/// <summary>In the place of Newtonsoft.Json, which sets the properties of any type.</summary>
internal sealed class RejectingJson : RejectingSerializer
{
    public RejectingJson(ExtendedActorSystem system)
        : base(system, 1)
    {
    }

    /// <summary>Akka looks for this form too.</summary>
    public RejectingJson(ExtendedActorSystem system, Config config)
        : this(system) => _ = config;
}

/// <summary>In the place of Google.Protobuf messages by type name.</summary>
internal sealed class RejectingProtobuf(ExtendedActorSystem system) : RejectingSerializer(system, 2);

/// <summary>In the place of the messages that deploy actors from afar.</summary>
internal sealed class RejectingDaemonCreate(ExtendedActorSystem system) : RejectingSerializer(system, 3);

/// <summary>In the place of exceptions by type name, and of Props. Nothing of it is needed between aggregators.</summary>
internal sealed class RejectingMisc(ExtendedActorSystem system) : RejectingSerializer(system, 16);
