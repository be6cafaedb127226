namespace TrackMate.Manage;

/// <summary>A setting has a value that it cannot have; the program ends with a sentence that says so.</summary>
internal sealed class InvalidSettingException(string setting, string why) : Exception($"{setting}: {why}.");
