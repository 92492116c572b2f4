using System.Collections.Immutable;
using ActorProfiler.Configuration.Decoding;
using ActorProfiler.Configuration.Evaluation;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Configuration.Components;

/// <summary>A kind of block at the top of a configuration file. To add one: make one of these and add it to the table of types.</summary>
public interface IComponentType
{
    /// <summary>As the file names it, such as <c>discovery.file</c>.</summary>
    string Name { get; }

    /// <summary>What it is for, in one sentence of the documentation.</summary>
    string Summary { get; }

    LabelRule Label { get; }

    /// <summary>Most blocks of this kind in one file.</summary>
    int Most { get; }

    /// <summary>Names of what other blocks can use of it.</summary>
    ImmutableArray<string> ExportNames { get; }

    /// <summary>Its arguments and blocks, for the documentation.</summary>
    IEnumerable<ArgumentDescription> Describe();

    /// <summary>The options in a block. Only to be used when <paramref name="context"/> has got no error.</summary>
    object Decode(BlockStatement block, DecodeContext context);

    /// <summary>What a block exports.</summary>
    /// <param name="last">What the running component found last; null before it found anything, and for kinds that do not run.</param>
    ObjectValue Export(string id, object options, Value? last);
}
