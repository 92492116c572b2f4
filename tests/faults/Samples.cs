namespace ActorProfiler.Tests.Faults;

/// <summary>Measured values.</summary>
internal static class Samples
{
    /// <summary>NaN when there are none.</summary>
    public static double Quantile(List<double> values, double quantile) =>
        values.Count == 0 ? double.NaN : values.Order().ElementAt((int)(quantile * (values.Count - 1)));
}
