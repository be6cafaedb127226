using System.CommandLine;
using TrackMate.Bind;
using TrackMate.Manage;

namespace TrackMate.Host.Commands;

/// <summary>The options by which commands name a person: by one of the person's identifiers.</summary>
internal sealed class PersonOptions
{
    public Option<string?> Email { get; } = new("--email") { Description = "The person's e-mail.", HelpName = "email" };

    public Option<string?> ExternalId { get; } = new("--external-id") { Description = "Your own id of the person.", HelpName = "id" };

    public Option<string?> Profile { get; } = new("--profile") { Description = "The profile's id: 24 hex digits.", HelpName = "id" };

    public bool IsGiven(ParseResult parsed) => parsed.GetValue(Email) is not null || parsed.GetValue(ExternalId) is not null || parsed.GetValue(Profile) is not null;

    /// <exception cref="InvalidSettingException">None or several options are given, or an invalid one.</exception>
    public Identifier Of(ParseResult parsed, Company company)
    {
        if (new[] { parsed.GetValue(Email), parsed.GetValue(ExternalId), parsed.GetValue(Profile) }.Count(given => given is not null) != 1)
            throw new InvalidSettingException("--email", "name the person by one of --email, --external-id or --profile");
        if (parsed.GetValue(Email) is { } email)
        {
            return EmailAddress.TryNormalize(email, out var normalized)
                ? Identifier.Email(company, normalized)
                : throw new InvalidSettingException("--email", $"'{email}' is not an e-mail address");
        }

        if (parsed.GetValue(ExternalId) is { } externalId) return Identifier.External(company, externalId);
        return ProfileId.TryParse(parsed.GetValue(Profile), out var id) ? Identifier.Bare(id) : throw new InvalidSettingException("--profile", "it is not a profile's id: 24 hex digits");
    }
}
