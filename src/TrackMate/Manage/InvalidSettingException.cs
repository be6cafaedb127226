namespace TrackMate.Manage;

/// <summary>A setting has an invalid value. The program ends with a sentence that says so.</summary>
internal sealed class InvalidSettingException(string setting, string why) : Exception($"{setting}: {why}.");
