using System.CommandLine;
using System.Globalization;
using TrackMate.Host.Commands;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

var trackmate = new RootCommand("TrackMate: one timeline of everything that happened, for each of your customers.")
{
    ServeCommand.Create(),
    DemoCommand.Create(),
    CompanyCommand.Create(),
    KeyCommand.Create(),
    TokenKeyCommand.Create(),
    AdminCommand.Create(),
    BackupCommand.Create(),
    RestoreCommand.Create(),
    MoveCommand.Create(),
    ExportCommand.Create(),
    ImportCommand.Create(),
    EraseCommand.Create(),
    DoctorCommand.Create(),
    HealthCommand.Create(),
};
trackmate.SetAction((_, cancel) => ServeCommand.Run(cancel));

return await CommandLine.RunAsync(trackmate, args);
