namespace TrackMate.Store.Tables;

/// <summary>Who did what, when: one line of the audit log.</summary>
/// <param name="Actor">A member's name, the first characters of an API key, or the command line.</param>
/// <param name="Action">Such as <c>merge</c>, <c>revoke</c>, <c>erase</c>.</param>
/// <param name="Detail">JSON of ids and numbers; never what a person is known by.</param>
public sealed record AuditLine(long Number, long At, string Actor, string Action, string Detail);
